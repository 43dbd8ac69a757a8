/** `data` for scene text: images with words, drawn or in the formats of ICDAR and SynthText. */
import { z } from 'zod';
import { layoutNames, layoutOf } from '../../data/formats/text/layouts.js';
import { brokenImages, prefetch, root } from './images.js';
import { split } from './split.js';
import { count, expectedSize, fraction, size } from '../../optionValues.js';

const zoom = z
  .tuple([z.number().positive(), z.number().positive()])
  .refine(([least, most]) => least <= most)
  .default([0.5, 1.5])
  .meta({
    description:
      'Range of a random magnification: pixels of the input per pixel of the image. Raise it if the text of your images is small.',
    expects: 'two numbers, the smaller first',
    example: [0.3, 1.2],
  });

const augment = z.strictObject({
  zoom,
  rotate: z
    .number()
    .min(0)
    .max(180)
    .default(20)
    .describe('Maximum rotation to either side, degrees. Raise it if your images have text in all directions.')
    .meta({ example: 5 }),
  flip: fraction
    .default(0)
    .describe('Probability of a left-right flip, which makes letters unreadable; it is rarely useful.')
    .meta({ example: 0.5 }),
  photometric: z
    .boolean()
    .default(true)
    .describe('Whether to change brightness, contrast, saturation and hue at random, as in SSD.')
    .meta({ when: 'Switch it off where the colours of your images never vary.' }),
});

const common = {
  size: size.prefault(384).meta({
    description:
      'Pixels of the crops from which the model learns: one number for a square, or `[height, width]`. A larger crop shows more context, and takes more memory.',
    expects: expectedSize,
    example: 256,
  }),
  evaluateSize: size.prefault([720, 1280]).meta({
    description:
      'Pixels of the input when whole images are scored; they are letterboxed into it. A larger input finds smaller text, and takes more time.',
    expects: expectedSize,
    example: 1024,
  }),
  brokenImages,
  augment: z
    .union([z.literal(false), augment.transform((options) => ({ kind: 'text' as const, ...options }))])
    .prefault({})
    .describe(
      'Random crops and changes of the training images (augmentation); with `false`, whole images are letterboxed into `size`.',
    )
    .meta({ example: false, when: 'Set `false` to see what the model learns from the images alone.' }),
  prefetch,
};

const drawing = {
  root: z
    .string()
    .min(1)
    .optional()
    .describe('Folder for the drawn images. Default: a folder in the cache.')
    .meta({ example: '/data/drawn', when: 'Set it to look at the images, or when the cache has no room.' }),
  seed: z
    .int()
    .min(0)
    .max(0xffffffff)
    .default(1)
    .describe('Seed of the drawing; the seed of the run does not change the images.')
    .meta({ example: 2, when: 'Change it to draw other images.' }),
  side: z
    .int()
    .min(64)
    .max(2048)
    .default(768)
    .describe('Side of the square images, in pixels.')
    .meta({ example: 512, when: 'Lower it to draw faster.' }),
  photos: z
    .string()
    .min(1)
    .optional()
    .describe(
      'Folder of photos without text, which serve as backgrounds; a relative path starts where that of `data.root` does. Default: drawn backgrounds.',
    )
    .meta({ example: '/data/photos', when: 'Set it for backgrounds like those of your own images.' }),
};

const drawn = z.strictObject({
  format: z
    .literal('synthetic-text')
    .describe(
      'Text that is drawn from a seed on first use (datasets/synthetic-text.md). It has character boxes, and serves to pretrain a model.',
    ),
  ...drawing,
  train: z
    .strictObject({
      images: count
        .default(700)
        .describe('Number of images to draw for training.')
        .meta({ example: 2000, when: 'Raise it for a better model and a longer training.' }),
    })
    .prefault({})
    .describe('The training part.'),
  val: z
    .strictObject({
      images: count
        .default(40)
        .describe('Number of images to draw for validation.')
        .meta({ example: 100, when: 'Raise it for a score that depends less on chance.' }),
    })
    .prefault({})
    .describe('The validation part.'),
  ...common,
});

const part = z.strictObject({
  images: z
    .string()
    .min(1)
    .describe('The folder of the images, relative to `data.root`.')
    .meta({ example: 'ch4_training_images' }),
  truth: z
    .string()
    .min(1)
    .describe('The folder or zip of the ground-truth text files, relative to `data.root`.')
    .meta({ example: 'ch4_training_localization_transcription_gt' }),
});
const held = z.strictObject({
  every: z
    .int()
    .min(2)
    .describe('Holds out every n-th image of the training part for validation: 3 for a third of the images.')
    .meta({ example: 3 }),
});

const icdar = z.strictObject({
  format: z
    .literal('icdar')
    .describe(
      'ICDAR 2013, 2015, 2017-MLT and 2019-ArT, RCTW-17, Total-Text and CTW1500: a text file with the words of each image (`layout`).',
    ),
  root,
  train: part.describe('The training part.'),
  val: z
    .union([part, held])
    .optional()
    .describe(
      'The validation part: it is scored after each epoch, and the best epoch is kept. Required without `split`.',
    )
    .meta({ example: { every: 3 } }),
  layout: z
    .enum(['auto', ...layoutNames])
    .default('auto')
    .describe(
      `Layout of the lines of the text files. \`auto\` decides where only one is possible; otherwise an error shows a line with its readings. ${layoutNames.map((name) => `\`${name}\`: ${layoutOf(name).form}.`).join(' ')}`,
    )
    .meta({ example: 'icdar2015', when: 'Name it if you know it.' }),
  characters: z
    .enum(['mask', 'split', 'pseudo'])
    .default('split')
    .describe(
      'What the model learns from words without character boxes. `split` cuts their outlines into equal parts, one for each letter, with half the weight. `pseudo` uses the characters that the model itself finds, weighted by how well their number fits (weak supervision, as published); finding them takes time. `mask` excludes the words from the loss.',
    )
    .meta({ when: 'Choose `pseudo` if you start from a model that finds characters already.' }),
  pseudo: z
    .strictObject({
      refresh: count
        .default(1)
        .describe('Number of epochs between two rounds of finding characters.')
        .meta({ example: 2, when: 'Raise it if finding characters takes much of the time.' }),
      height: z
        .int()
        .min(16)
        .max(256)
        .default(64)
        .describe('Height in pixels at which the model sees a word when it finds its characters.')
        .meta({ example: 128, when: 'Raise it for more exact characters, which take more time.' }),
    })
    .prefault({})
    .describe(
      'Options of `characters: pseudo`. The characters are found by the model that is being trained, or by its running mean with `train.ema`.',
    ),
  transcriptions: z
    .boolean()
    .default(true)
    .describe(
      'Whether the files have the transcriptions of the words. Set it to `false` if they hold something else in their place: then the number of characters of a word is unknown, and those found count half.',
    ),
  crops: count
    .default(1)
    .describe('Number of crops of each training image in an epoch. Raise it if there are few images.')
    .meta({ example: 4 }),
  synthetic: z
    .strictObject({
      ...drawing,
      images: count
        .default(300)
        .describe('Number of images to draw.')
        .meta({ example: 1000, when: 'Raise it for more variety.' }),
      perReal: z
        .number()
        .positive()
        .default(0.2)
        .describe('Number of drawn images in an epoch for each crop of a real one; 0.2, as published, is one for five.')
        .meta({ example: 0.5, when: 'Raise it while the model still finds few characters.' }),
    })
    .optional()
    .describe('Drawn text, whose characters are known, to mix into the training images. Default: none.'),
  test: part
    .nullish()
    .describe(
      'The test part: it is scored once, at the end, and nothing is chosen by it, so that its score is unbiased. Default: `null`, the validation part is scored again.',
    )
    .meta({
      example: { images: 'ch4_test_images', truth: 'Challenge4_Test_Task1_GT' },
      when: 'Set it if you can spare the images.',
    }),
  split,
  ...common,
});

const synthtext = z.strictObject({
  format: z.literal('synthtext').describe('SynthText (Gupta et al. 2016): `gt.mat` and the images it names.'),
  root,
  val: held.prefault({ every: 50 }).describe('The validation part: some of the images, which are held out.'),
  split,
  ...common,
});

export const textData = z
  .discriminatedUnion('format', [drawn, icdar, synthtext])
  .describe('The data set to learn from. Its other options depend on `format`.');
