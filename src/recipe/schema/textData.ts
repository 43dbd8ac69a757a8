/** `data` for scene text: images with words, drawn or in ICDAR's forms. */
import { z } from 'zod';
import { brokenImages, prefetch, root } from './images.js';
import { count, expectedSize, fraction, size } from '../../optionValues.js';

const zoom = z
  .tuple([z.number().positive(), z.number().positive()])
  .refine(([least, most]) => least <= most)
  .default([0.5, 1.5])
  .meta({
    description: 'Least and most magnification: pixels of the input per pixel of the image.',
    expects: 'two numbers, the smaller first',
  });

const augment = z.strictObject({
  zoom,
  rotate: z.number().min(0).max(180).default(20).describe('Most degrees of rotation, either way.'),
  flip: fraction.default(0).describe('Probability of a left-right flip, which turns letters into none.'),
  photometric: z.boolean().default(true).describe('Random brightness, contrast, saturation and hue, as in SSD.'),
});

const common = {
  size: size.prefault(384).meta({
    description: 'Pixels of the crops that are learnt from: one number for a square, or `[height, width]`.',
    expects: expectedSize,
  }),
  evaluateSize: size.prefault([720, 1280]).meta({
    description: 'Pixels that whole images are letterboxed into to be scored.',
    expects: expectedSize,
  }),
  brokenImages,
  augment: z
    .union([z.literal(false), augment.transform((options) => ({ kind: 'text' as const, ...options }))])
    .prefault({})
    .describe('Random crops and changes of the training images; `false`: whole images, letterboxed into `size`.'),
  prefetch,
};

const drawing = {
  root: z.string().min(1).optional().describe('Folder for the drawn images. Without it: inside the cache.'),
  seed: z.int().min(0).max(0xffffffff).default(1).describe('Seed of the drawing, apart from the seed of the run.'),
  side: z.int().min(64).max(2048).default(768).describe('Pixels of the square images.'),
  photos: z
    .string()
    .min(1)
    .optional()
    .describe('Folder of photos without text, to write on. A relative one counts as `data.root` does.'),
};

const drawn = z.strictObject({
  format: z.literal('synthetic-text').describe('Text drawn from a seed on first use (datasets/synthetic-text.md).'),
  ...drawing,
  train: z
    .strictObject({ images: count.default(700).describe('How many images to draw for training.') })
    .prefault({})
    .describe('The training part.'),
  val: z
    .strictObject({ images: count.default(40).describe('How many images to draw for validation.') })
    .prefault({})
    .describe('The validation part.'),
  ...common,
});

const part = z.strictObject({
  images: z.string().min(1).describe('The folder of the images, relative to `data.root`.'),
  truth: z.string().min(1).describe('The folder or zip of the ground-truth text files, relative to `data.root`.'),
});
const held = z.strictObject({
  every: z.int().min(2).describe('Hold back each image of this number of the training part: 3 for a third.'),
});

const icdar = z.strictObject({
  format: z
    .literal('icdar')
    .describe('ICDAR 2013, 2015, 2017-MLT, Total-Text, CTW1500: a text file of words for each image.'),
  root,
  train: part.describe('The training part.'),
  val: z.union([part, held]).describe('The validation part: scored after each epoch; the best epoch on it is kept.'),
  characters: z
    .enum(['mask', 'split', 'pseudo'])
    .default('split')
    .describe(
      'What words without character boxes teach. `split`: their quads are cut equally by the number of letters, with half the weight. `pseudo`: the characters that the model itself finds in them, with a weight by how many that are (weak supervision). `mask`: nothing.',
    ),
  pseudo: z
    .strictObject({
      refresh: count.default(1).describe('Epochs between two rounds of looking for characters.'),
      height: z.int().min(16).max(256).default(64).describe('Pixels across a word when the model looks at it.'),
    })
    .prefault({})
    .describe(
      'With `characters: pseudo`. The model that looks is the one being trained, or its running mean with `train.ema`.',
    ),
  transcriptions: z
    .boolean()
    .default(true)
    .describe(
      'Whether the files say what the words say. `false`: nobody knows how many characters a word has; those found count half.',
    ),
  crops: count.default(1).describe('Crops of each training image in an epoch.'),
  synthetic: z
    .strictObject({
      ...drawing,
      images: count.default(300).describe('How many images to draw.'),
      perReal: z
        .number()
        .positive()
        .default(0.2)
        .describe('Drawn images in an epoch for each crop of a real one; published: one for five.'),
    })
    .optional()
    .describe('Drawn text among the training images, whose characters are known. Without it: none.'),
  test: part
    .optional()
    .describe('A part scored once, in the end, that nothing was chosen by. Without it: the validation part.'),
  ...common,
});

const synthtext = z.strictObject({
  format: z.literal('synthtext').describe('SynthText (Gupta et al. 2016): `gt.mat` and the images it names.'),
  root,
  val: held.prefault({ every: 50 }).describe('The validation part: some of the images, held back.'),
  ...common,
});

export const textData = z
  .discriminatedUnion('format', [drawn, icdar, synthtext])
  .describe('What to learn from. `format` decides about the other options.');
