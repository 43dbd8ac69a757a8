/** `data` for detection: images with boxes, in several formats. */
import { z } from 'zod';
import { brokenImages, prefetch, root } from './images.js';
import { count, expectedSize, fraction, names, size } from './values.js';

const augment = z.strictObject({
  flip: fraction.default(0.5).describe('Probability of a left-right flip.'),
  photometric: z
    .boolean()
    .default(true)
    .describe('Random brightness, contrast, saturation and hue, as in SSD (Liu et al. 2016, §3.2).'),
  expand: fraction
    .default(0.5)
    .describe('Probability of placing the image on a larger canvas of the mean colour, which makes small objects.'),
  iouCrop: z
    .boolean()
    .default(true)
    .describe('Random crops that keep an object with a drawn minimum IoU, which makes large objects.'),
});

const common = {
  size: size.prefault(320).meta({
    description: "Pixels of the network's input: one number for a square, or `[height, width]`.",
    expects: expectedSize,
  }),
  resize: z
    .enum(['stretch', 'letterbox'])
    .default('stretch')
    .describe('`stretch` fills the input and changes the proportions, `letterbox` keeps them and pads.'),
  invalidBoxes: z
    .enum(['error', 'drop'])
    .default('error')
    .describe('What to do with a box without area or outside its image. What is dropped is counted in the report.'),
  brokenImages,
  categories: names
    .min(1)
    .optional()
    .describe(
      'Categories to learn, in this order; objects of others are left out. Without it: all, as the data set orders them.',
    ),
  augment: z
    .union([z.literal(false), augment])
    .prefault({})
    .describe('Random changes to the training images; `false` for none.'),
  prefetch,
};

const synthetic = z.strictObject({
  format: z.literal('synthetic').describe('Images drawn from a seed on first use; needs no download.'),
  root: z.string().min(1).optional().describe('Folder for the generated images. Without it: inside the cache.'),
  seed: z.int().min(0).max(0xffffffff).default(1).describe('Seed of the drawing, apart from the seed of the run.'),
  train: z
    .strictObject({ images: count.default(400).describe('How many images to draw for training.') })
    .prefault({})
    .describe('The training part.'),
  val: z
    .strictObject({ images: count.default(100).describe('How many images to draw for validation.') })
    .prefault({})
    .describe('The validation part.'),
  ...common,
});

const cocoPart = z.strictObject({
  annotations: z.string().min(1).describe('The annotation file (instances_*.json), relative to `data.root`.'),
  images: z.string().min(1).describe('The folder of the images, relative to `data.root`.'),
});

const coco = z.strictObject({
  format: z.literal('coco').describe('COCO: one JSON file for each part.'),
  root,
  train: cocoPart.describe('The training part.'),
  val: cocoPart.describe('The validation part: scored after each epoch; the best epoch on it is kept.'),
  test: cocoPart
    .optional()
    .describe('A part scored once, in the end, that nothing was chosen by. Without it: the validation part.'),
  ...common,
});

const voc = z.strictObject({
  format: z.literal('voc').describe('Pascal VOC: Annotations/*.xml, ImageSets/Main/*.txt, JPEGImages/.'),
  root,
  train: z.string().min(1).default('train').describe('Name of the list in ImageSets/Main to train on, without `.txt`.'),
  val: z
    .string()
    .min(1)
    .default('val')
    .describe(
      'Name of the list in ImageSets/Main to validate on: scored after each epoch; the best epoch on it is kept.',
    ),
  test: z
    .string()
    .min(1)
    .optional()
    .describe(
      'Name of a list that is scored once, in the end, and that nothing was chosen by. Without it: the validation part.',
    ),
  ...common,
});

export const objectData = z
  .discriminatedUnion('format', [synthetic, coco, voc])
  .describe('What to learn from. `format` decides about the other options.');
