/** `data` for classification: images with a class each. */
import { z } from 'zod';
import { brokenImages, prefetch, root } from './images.js';
import { repeatThreshold } from './repeatThreshold.js';
import { expectedSize, fraction, names, size } from '../../optionValues.js';

const augment = z.strictObject({
  cropArea: z
    .union([
      z.literal(false),
      z.tuple([z.number().gt(0).max(1), z.number().gt(0).max(1)]).refine(([least, most]) => least <= most),
    ])
    .default([0.25, 1])
    .meta({
      description:
        "Smallest and largest share of the image's area that a random crop keeps, with an aspect of ¾ to 4⁄3; `[0.08, 1]` is Inception's for ImageNet. `false`: the crop of evaluation.",
      expects: 'false, or two numbers above 0 up to 1, the smaller first',
    }),
  flip: fraction.default(0.5).describe('Probability of a left-right flip.'),
  colour: fraction
    .default(0.2)
    .describe('Strength of random brightness, contrast and saturation: 0.4 multiplies by 0.6 to 1.4.'),
  randAugment: z
    .union([
      z.literal(false),
      z.strictObject({
        operations: z.int().min(1).max(8).default(2).describe('How many per image.'),
        magnitude: z.number().min(0).max(10).default(9).describe('How strong, for all of them.'),
      }),
    ])
    .default(false)
    .describe(
      'Random operations on each image (Cubuk et al. 2020, arXiv:1909.13719), the light ones: geometry, colours, posterize, solarize; `{}` for the usual ones.',
    ),
  cutout: fraction
    .default(0)
    .describe(
      "Side of a square hole at a random place, as a share of the input's shorter side (DeVries & Taylor 2017, arXiv:1708.04552).",
    ),
  mixup: z
    .number()
    .min(0)
    .default(0)
    .describe(
      'Blends pairs of images and their classes; the shares are drawn from Beta(α, α) with this α, 0.2 say (Zhang et al. 2018, arXiv:1710.09412). 0 for none.',
    ),
  cutmix: z
    .number()
    .min(0)
    .default(0)
    .describe(
      'Pastes a rectangle of another image, the class in proportion; its area is drawn from Beta(α, α) with this α, 1 say (Yun et al. 2019, arXiv:1905.04899). 0 for none. With `mixup` a batch takes one or the other.',
    ),
});

const common = {
  root,
  splitSeed: z
    .int()
    .min(0)
    .max(0xffffffff)
    .default(1)
    .describe('Seed of the split, apart from that of the run, where `val` is a share of the training images.'),
  size: size.prefault(224).meta({
    description: "Pixels of the network's input: one number for a square, or `[height, width]`.",
    expects: expectedSize,
  }),
  resize: z
    .enum(['crop', 'stretch', 'letterbox'])
    .default('crop')
    .describe(
      '`crop` keeps the proportions and takes the middle, `stretch` fills the input and changes the proportions, `letterbox` keeps them and pads.',
    ),
  cropFraction: z
    .number()
    .gt(0)
    .max(1)
    .default(0.875)
    .describe(
      'Share of the shorter side that the middle has: 0.875 is the usual 224 of 256 pixels. Only with `resize: crop`.',
    ),
  interpolation: z
    .enum(['bicubic', 'bilinear'])
    .default('bicubic')
    .describe('How pixels are resized, antialiased either way.'),
  brokenImages,
  repeatThreshold,
  categories: z
    .union([z.literal('imagenet-1k'), names.min(1)])
    .optional()
    .meta({
      description:
        'Classes to learn, in this order; images of others are left out and counted. `imagenet-1k`: the thousand of ImageNet, by synset or name, whichever of them are there. Without it: all of the training part, sorted.',
      expects: 'a list of text, or imagenet-1k',
    }),
  augment: z
    .union([z.literal(false), augment.transform((options) => ({ kind: 'wholeImage' as const, ...options }))])
    .prefault({})
    .describe('Random changes to the training images; `false` for none.'),
  prefetch,
};

const share = z.number().gt(0).lt(1);

const imageFolder = z.strictObject({
  format: z.literal('imageFolder').describe('A folder for each class: `train/cat/1.jpg`, `val/dog/2.jpg`.'),
  train: z
    .string()
    .min(1)
    .optional()
    .describe(
      'Folder of `data.root` with a folder for each class. Without it: `train`, or the root itself if there is none.',
    ),
  val: z
    .union([z.string().min(1), share])
    .optional()
    .meta({
      description:
        'Folder for validation: scored after each epoch; the best epoch on it is kept. A number holds out that share of the training images, class by class. Without it: `val`, `valid` or `validation`, or 0.2.',
      expects: 'text, or a number above 0 and below 1',
    }),
  test: z
    .string()
    .min(1)
    .optional()
    .describe('A folder scored once, in the end, that nothing was chosen by. Without it: the validation part.'),
  ...common,
});

const csv = z.strictObject({
  format: z
    .literal('csv')
    .describe('A table of images: a line `file,label`, then one for each image, files relative to `data.root`.'),
  train: z.string().min(1).optional().describe('The table to train on, in `data.root`. Without it: `train.csv`.'),
  val: z
    .union([z.string().min(1), share])
    .optional()
    .meta({
      description:
        'The table for validation: scored after each epoch; the best epoch on it is kept. A number holds out that share of the training images, class by class. Without it: `val.csv`, or 0.2 if there is none.',
      expects: 'text, or a number above 0 and below 1',
    }),
  test: z
    .string()
    .min(1)
    .optional()
    .describe('A table scored once, in the end, that nothing was chosen by. Without it: the validation part.'),
  ...common,
});

export const labelledData = z
  .discriminatedUnion('format', [imageFolder, csv])
  .describe('What to learn from. `format` decides about the other options.');

const place = { format: true, root: true, train: true, val: true, splitSeed: true, categories: true } as const;

/** Images of classes that a model knows already. */
export const replayImages = z
  .discriminatedUnion('format', [imageFolder.pick(place), csv.pick(place)])
  .describe(
    'Images of the old classes: `train` to mix in, `val` to score before and after. Format and places as in `data`; its `categories`, of which the old model must have each.',
  );
