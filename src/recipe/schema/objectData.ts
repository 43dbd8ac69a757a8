/** `data` for detection: images with boxes, in several formats. */
import { z } from 'zod';
import { headsThat } from '../../tasks/detection/detectors.js';
import { brokenImages, prefetch, root } from './images.js';
import { repeatThreshold } from './repeatThreshold.js';
import { count, expectedSize, fraction, names, size, sizeRange } from '../../optionValues.js';

const scaleFactor = z.number().min(0.1).max(10);

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
  scale: z
    .union([z.literal(false), z.tuple([scaleFactor, scaleFactor]).refine(([least, most]) => least <= most)])
    .default(false)
    .meta({
      description:
        'How much smaller or larger than filling the input an image becomes, drawn anew each time: `[0.5, 2]` shows from half its size, on the mean colour, to a quarter of it, doubled. `false` for none.',
      expects: 'false, or [least, most], from 0.1 to 10',
    }),
  blur: fraction.default(0).describe('Probability of a Gaussian blur of 0.3 to 1.5 pixels.'),
  mosaic: fraction
    .default(0)
    .describe(
      'Probability that the image shares the input with three others, a tile each (Bochkovskiy et al. 2020, §3.3).',
    ),
  mixup: fraction
    .default(0)
    .describe(
      'Probability that another image shines through by about a half, with its boxes (Zhang et al. 2019, §3.1).',
    ),
  copyPaste: fraction
    .default(0)
    .describe('Probability that up to three objects of another image are pasted on, as the rectangles of their boxes.'),
  cutout: fraction
    .default(0)
    .describe(
      'Probability that one to three rectangles are covered (DeVries & Taylor 2017). An object hidden by more than half is ignored then.',
    ),
  closeMosaic: z
    .int()
    .min(0)
    .default(10)
    .describe('Epochs at the end that have neither `mosaic` nor `mixup`, so that training ends on images as they are.'),
  strength: z
    .strictObject({
      from: fraction.default(1).describe('Strength in the first epoch.'),
      to: fraction.default(1).describe('Strength in the last epoch.'),
    })
    .prefault({})
    .describe(
      'Factor on all probabilities and ranges but those of `flip`, linear over the epochs. Light models sometimes want less.',
    ),
});

const common = {
  size: z
    .union([size, sizeRange])
    .prefault(320)
    .meta({
      description: `Pixels of the network's input: one number for a square, or \`[height, width]\`. \`{min, max, buckets}\` keeps the images' proportions and resizes by the shorter side, as torchvision does, for heads that take inputs of any size (${headsThat((head) => head.oneSize === undefined)}).`,
      expects: `${expectedSize}, or {min, max, buckets}`,
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
  repeatThreshold,
  categories: names
    .min(1)
    .optional()
    .describe(
      'Categories to learn, in this order; objects of others are left out. Without it: all, as the data set orders them.',
    ),
  augment: z
    .union([z.literal(false), augment.transform((options) => ({ kind: 'boxes' as const, ...options }))])
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

const place = { format: true, root: true, train: true, val: true, categories: true } as const;

/** Images of classes that a model knows already. */
export const replayObjects = z
  .discriminatedUnion('format', [synthetic.pick({ ...place, seed: true }), coco.pick(place), voc.pick(place)])
  .describe(
    'Images of the old classes: `train` to mix in, `val` to score before and after. Format and places as in `data`; its `categories`, of which the old model must have each.',
  );
