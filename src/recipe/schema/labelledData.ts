/** `data` for classification: images with one class each. */
import { z } from 'zod';
import { categoryChanges } from './categoryChanges.js';
import { brokenImages, prefetch, root } from './images.js';
import { repeatThreshold } from './repeatThreshold.js';
import { split } from './split.js';
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
        "Range of the share of the image's area that a random crop keeps, with an aspect of ¾ to 4⁄3. `[0.08, 1]` is usual for training on ImageNet from scratch; `false` takes the crop of evaluation. Raise the lower bound if small crops miss what tells the class.",
      expects: 'false, or two numbers above 0 up to 1, the smaller first',
      example: false,
    }),
  flip: fraction
    .default(0.5)
    .describe(
      'Probability of a left-right flip. Set it to 0 where left and right matter, as with text or traffic signs.',
    )
    .meta({ example: 0 }),
  colour: fraction
    .default(0.2)
    .describe(
      'Strength of random changes of brightness, contrast and saturation: 0.4 multiplies by 0.6 to 1.4. Set it to 0 where the colour tells the class.',
    )
    .meta({ example: 0 }),
  randAugment: z
    .union([
      z.literal(false),
      z.strictObject({
        operations: z
          .int()
          .min(1)
          .max(8)
          .default(2)
          .describe('Number of operations on each image.')
          .meta({ example: 1, when: 'Lower it in short runs.' }),
        magnitude: z
          .number()
          .min(0)
          .max(10)
          .default(9)
          .describe('Magnitude of all operations.')
          .meta({ example: 5, when: 'Lower it if objects become hard to recognise.' }),
      }),
    ])
    .default(false)
    .describe(
      'Random operations on each image as in RandAugment (Cubuk et al. 2020, arXiv:1909.13719): geometry, colours, posterize and solarize. `{}` applies two of magnitude 9. Try it if a long training overfits.',
    )
    .meta({ example: { operations: 2, magnitude: 9 } }),
  cutout: fraction
    .default(0)
    .describe(
      "Side of a square that is covered at a random place, as a share of the input's shorter side (DeVries & Taylor 2017, arXiv:1708.04552); 0 for none. Try it if the training overfits.",
    )
    .meta({ example: 0.25 }),
  mixup: z
    .number()
    .min(0)
    .default(0)
    .describe(
      'α of Mixup, which blends pairs of images and their classes with shares drawn from Beta(α, α) (Zhang et al. 2018, arXiv:1710.09412); 0 for none. Try 0.2 if a long training overfits.',
    )
    .meta({ example: 0.2 }),
  cutmix: z
    .number()
    .min(0)
    .default(0)
    .describe(
      'α of CutMix, which pastes a rectangle of another image and mixes the classes in proportion; its area is drawn from Beta(α, α) (Yun et al. 2019, arXiv:1905.04899); 0 for none. Try 1 if a long training overfits. With `mixup`, each batch gets one of the two.',
    )
    .meta({ example: 1 }),
});

const common = {
  root,
  split,
  splitSeed: z
    .int()
    .min(0)
    .max(0xffffffff)
    .default(1)
    .describe(
      'Seed by which validation images are drawn if `val` is a share of the training images; the seed of the run does not change the split.',
    )
    .meta({ example: 2, when: 'Change it to see how much the score depends on the split.' }),
  size: size.prefault(224).meta({
    description:
      "Pixels of the network's input: one number for a square, or `[height, width]`. A larger input shows finer detail, and takes more time and memory.",
    expects: expectedSize,
    example: 128,
  }),
  resize: z
    .enum(['crop', 'stretch', 'letterbox'])
    .default('crop')
    .describe(
      'How images are fitted into the input: `crop` keeps the proportions and takes the middle, `stretch` fills the input and changes the proportions, `letterbox` keeps them and pads. Use one of the latter if what matters may be at the edge.',
    ),
  cropFraction: z
    .number()
    .gt(0)
    .max(1)
    .default(0.875)
    .describe(
      'Share of the shorter side that the crop keeps; only with `resize: crop`. 0.875, for 224 of 256 pixels, is usual for ImageNet; 1 keeps as much as possible.',
    )
    .meta({ example: 1 }),
  interpolation: z
    .enum(['bicubic', 'bilinear'])
    .default('bicubic')
    .describe(
      'Interpolation by which images are resized, with antialiasing. Use the one with which the starting weights were trained.',
    ),
  brokenImages,
  repeatThreshold,
  categories: z
    .union([z.literal('imagenet-1k'), names.min(1), categoryChanges])
    .optional()
    .meta({
      description:
        'Names of the classes to learn, in this order; images of other classes are left out and counted. `imagenet-1k` stands for the thousand classes of ImageNet, by synset or name, of which some may have no image. Or `map` and `drop`, which change the names of some and leave out others. Default: all classes of the training part, sorted.',
      expects: 'a list of text, imagenet-1k, or {map, drop}',
      example: ['cat', 'dog'],
      when: 'Set it to learn some of the classes, or to fix their order.',
    }),
  augment: z
    .union([z.literal(false), augment.transform((options) => ({ kind: 'wholeImage' as const, ...options }))])
    .prefault({})
    .describe('Random changes to the training images (augmentation); `false` for none.')
    .meta({ example: false, when: 'Set `false` to see what the model learns from the images alone.' }),
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
      'Folder of `data.root` that has a folder for each class. Default: `train`, or the root itself if there is no such folder.',
    )
    .meta({ example: 'training', when: 'Set it if the folder has another name.' }),
  val: z
    .union([z.string().min(1), share])
    .optional()
    .meta({
      description:
        'Folder for validation: it is scored after each epoch, and the best epoch is kept. A number holds out that share of the training images, class by class. Default: `val`, `valid` or `validation`, or 0.2 if there is no such folder.',
      expects: 'text, or a number above 0 and below 1',
      example: 0.1,
      when: 'Set a number if you have no such folder and want another share.',
    }),
  test: z
    .string()
    .min(1)
    .nullish()
    .describe(
      'Folder of the test part: it is scored once, at the end, and nothing is chosen by it, so that its score is unbiased. Default: `null`, the validation part is scored again.',
    )
    .meta({ example: 'test', when: 'Set it if you can spare the images.' }),
  ...common,
});

const csv = z.strictObject({
  format: z
    .literal('csv')
    .describe('A table of images: a line `file,label`, then a line for each image. Files are relative to `data.root`.'),
  train: z
    .string()
    .min(1)
    .optional()
    .describe('The table to train on, in `data.root`. Default: `train.csv`.')
    .meta({ example: 'labels.csv', when: 'Set it if the table has another name.' }),
  val: z
    .union([z.string().min(1), share])
    .optional()
    .meta({
      description:
        'The table for validation: it is scored after each epoch, and the best epoch is kept. A number holds out that share of the training images, class by class. Default: `val.csv`, or 0.2 if there is no such file.',
      expects: 'text, or a number above 0 and below 1',
      example: 0.1,
      when: 'Set a number if you have no such table and want another share.',
    }),
  test: z
    .string()
    .min(1)
    .nullish()
    .describe(
      'The table of the test part: it is scored once, at the end, and nothing is chosen by it, so that its score is unbiased. Default: `null`, the validation part is scored again.',
    )
    .meta({ example: 'test.csv', when: 'Set it if you can spare the images.' }),
  ...common,
});

const labels = z.strictObject({
  format: z
    .enum(['labelstudio-classes', 'huggingface-classes', 'webdataset-classes'])
    .describe(
      'A class for each image: the choices of Label Studio, the labels of Hugging Face (metadata.jsonl, metadata.csv or parquet), or the classes of WebDataset (tar files). docs/data.md describes them.',
    ),
  train: z
    .string()
    .min(1)
    .optional()
    .describe('File or folder of `data.root` to train on. Default: what the names of folders and files say.')
    .meta({ example: 'train', when: 'Set it if the folder has another name.' }),
  val: z
    .union([z.string().min(1), share])
    .optional()
    .meta({
      description:
        'File or folder for validation: it is scored after each epoch, and the best epoch is kept. A number holds out that share of the training images, class by class. Default: what the names of folders and files say, or 0.2.',
      expects: 'text, or a number above 0 and below 1',
      example: 0.1,
      when: 'Set a number if you have no such part and want another share.',
    }),
  test: z
    .string()
    .min(1)
    .nullish()
    .describe(
      'File or folder of the test part: it is scored once, at the end, and nothing is chosen by it, so that its score is unbiased. Default: `null`, the validation part is scored again.',
    )
    .meta({ example: 'test', when: 'Set it if you can spare the images.' }),
  ...common,
});

export const labelledData = z
  .discriminatedUnion('format', [imageFolder, csv, labels])
  .describe('The data set to learn from. Its other options depend on `format`.');

const place = {
  format: true,
  root: true,
  train: true,
  val: true,
  split: true,
  splitSeed: true,
  categories: true,
} as const;

/** Options for images of classes that a model already knows. */
export const replayImages = z
  .discriminatedUnion('format', [imageFolder.pick(place), csv.pick(place), labels.pick(place)])
  .describe(
    'Images of the old classes: `train` is mixed into the training, `val` is scored before and after. The options are those of `data`; the old model must know all of their `categories`.',
  );
