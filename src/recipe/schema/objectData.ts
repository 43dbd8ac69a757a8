/** `data` for detection: images with boxes, in several formats. */
import { z } from 'zod';
import { headsThat } from '../../tasks/detection/detectors.js';
import { tiling } from '../../tasks/description/tiling.js';
import { categoryChanges } from './categoryChanges.js';
import { brokenImages, prefetch, root } from './images.js';
import { labelFiles } from './labelFiles.js';
import { repeatThreshold } from './repeatThreshold.js';
import { split } from './split.js';
import { count, expectedSize, fraction, names, size, sizeRange } from '../../optionValues.js';

const scaleFactor = z.number().min(0.1).max(10);

const augment = z.strictObject({
  flip: fraction
    .default(0.5)
    .describe(
      'Probability of a left-right flip. Set it to 0 where left and right matter, as with text or traffic signs.',
    )
    .meta({ example: 0 }),
  photometric: z
    .boolean()
    .default(true)
    .describe(
      'Whether to change brightness, contrast, saturation and hue at random, as in SSD (Liu et al. 2016, §3.2). Switch it off where the colour tells the class.',
    ),
  expand: fraction
    .default(0.5)
    .describe(
      'Probability of placing the image on a larger canvas of the mean colour, which makes objects smaller. Lower it if your objects are small already.',
    )
    .meta({ example: 0 }),
  iouCrop: z
    .boolean()
    .default(true)
    .describe(
      'Whether to crop at random so that some object overlaps the crop by a random minimum IoU, which makes objects larger. Switch it off if all objects have the same size.',
    ),
  scale: z
    .union([z.literal(false), z.tuple([scaleFactor, scaleFactor]).refine(([least, most]) => least <= most)])
    .default(false)
    .meta({
      description:
        'Range of a random factor on the size of the image: with `[0.5, 2]` an image is shown from half its size, surrounded by the mean colour, to twice its size, of which a quarter is visible. `false` for no change. Use it instead of `expand` and `iouCrop` if objects come in many sizes.',
      expects: 'false, or [least, most], from 0.1 to 10',
      example: [0.5, 2],
    }),
  blur: fraction
    .default(0)
    .describe(
      'Probability of a Gaussian blur of 0.3 to 1.5 pixels. Use it if the images to predict are less sharp than those to learn from.',
    )
    .meta({ example: 0.2 }),
  mosaic: fraction
    .default(0)
    .describe(
      'Probability that the image shares the input with three others, a tile each (Bochkovskiy et al. 2020, §3.3). Try it with small data sets and long trainings.',
    )
    .meta({ example: 0.5 }),
  mixup: fraction
    .default(0)
    .describe(
      'Probability that another image is blended in by about a half, with its boxes (Zhang et al. 2019, §3.1). Try it with small data sets and long trainings.',
    )
    .meta({ example: 0.2 }),
  copyPaste: fraction
    .default(0)
    .describe(
      'Probability that up to three objects of another image are pasted in, as the rectangles of their boxes. Try it if images have few objects.',
    )
    .meta({ example: 0.3 }),
  cutout: fraction
    .default(0)
    .describe(
      'Probability that one to three rectangles are covered (DeVries & Taylor 2017); an object of which more than half is hidden is then ignored. Use it if objects are often partly hidden.',
    )
    .meta({ example: 0.3 }),
  closeMosaic: z
    .int()
    .min(0)
    .default(10)
    .describe('Number of epochs at the end without `mosaic` and `mixup`, so that training ends on natural images.')
    .meta({ example: 5, when: 'Lower it in short runs.' }),
  strength: z
    .strictObject({
      from: fraction
        .default(1)
        .describe('Strength in the first epoch, 0 to 1.')
        .meta({ example: 0.2, when: 'Lower it so that training begins with nearly unchanged images.' }),
      to: fraction
        .default(1)
        .describe('Strength in the last epoch, 0 to 1.')
        .meta({ example: 0.5, when: 'Lower it so that training ends on nearly unchanged images.' }),
    })
    .prefault({})
    .describe(
      'Factor on all probabilities and ranges except that of `flip`; it changes linearly over the epochs. Small models sometimes learn better with weaker augmentation.',
    ),
});

const common = {
  size: z
    .union([size, sizeRange])
    .prefault(320)
    .meta({
      description: `Pixels of the network's input: one number for a square, or \`[height, width]\`. A larger input finds smaller objects, and takes more time and memory. \`{min, max, buckets}\` keeps the images' proportions and resizes by the shorter side, as torchvision does, for heads that take inputs of any size (${headsThat((head) => head.oneSize === undefined)}).`,
      expects: `${expectedSize}, or {min, max, buckets}`,
      example: [288, 384],
    }),
  resize: z
    .enum(['stretch', 'letterbox'])
    .default('stretch')
    .describe(
      'How images are fitted into the input: `stretch` fills it and changes the proportions, `letterbox` keeps them and pads. Use `letterbox` if the shape of objects matters and images differ in their proportions.',
    ),
  tiles: z
    .union([z.literal(false), tiling])
    .default(false)
    .meta({
      description:
        'Cuts images that are larger than a tile into tiles that overlap, for small objects on large images: the network learns from all tiles of an image and from the whole image, and predictions of the tiles are merged before they are scored. `finetune predict` uses the same tiles. Each tile decodes its image anew, so that an epoch takes longer by the number of tiles.',
      expects: 'false, or {size, overlap}',
      example: { size: 640 },
    }),
  invalidBoxes: z
    .enum(['error', 'drop'])
    .default('error')
    .describe('Whether a box without area or outside its image is an error, or is dropped and counted in the report.')
    .meta({ when: 'Set `drop` once you have looked at them.' }),
  brokenImages,
  repeatThreshold,
  categories: z
    .union([names.min(1), categoryChanges])
    .optional()
    .meta({
      description:
        'Names of the categories to learn, in this order; objects of other categories are left out. Or `map` and `drop`, which change the names of some and leave out others. Default: all categories, in the order of the data set.',
      expects: 'a list of text, or {map, drop}',
      example: ['cat', 'dog'],
      when: 'Set it to learn some of the categories, or to fix their order.',
    }),
  augment: z
    .union([z.literal(false), augment.transform((options) => ({ kind: 'boxes' as const, ...options }))])
    .prefault({})
    .describe('Random changes to the training images (augmentation); `false` for none.')
    .meta({ example: false, when: 'Set `false` to see what the model learns from the images alone.' }),
  prefetch,
};

const synthetic = z.strictObject({
  format: z
    .literal('synthetic')
    .describe(
      'A small data set that is drawn from a seed on first use, so that nothing is downloaded. It serves to try the program.',
    ),
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
  train: z
    .strictObject({
      images: count
        .default(400)
        .describe('Number of images to draw for training.')
        .meta({ example: 1000, when: 'Raise it for a better detector and a longer training.' }),
    })
    .prefault({})
    .describe('The training part.'),
  val: z
    .strictObject({
      images: count
        .default(100)
        .describe('Number of images to draw for validation.')
        .meta({ example: 200, when: 'Raise it for a score that depends less on chance.' }),
    })
    .prefault({})
    .describe('The validation part.'),
  ...common,
});

const cocoPart = z.strictObject({
  annotations: z
    .string()
    .min(1)
    .describe('The annotation file (instances_*.json), relative to `data.root`.')
    .meta({ example: 'annotations/instances_train2017.json' }),
  images: z
    .string()
    .min(1)
    .describe('The folder of the images, relative to `data.root`.')
    .meta({ example: 'train2017' }),
});

const cocoPlace = z.union([cocoPart, z.array(cocoPart).min(1)]).meta({
  expects: '{annotations, images}, or a list of them',
});

const coco = z.strictObject({
  format: z.literal('coco').describe('COCO: a JSON file and a folder of images for each part.'),
  root,
  train: cocoPlace
    .describe('The training part: an annotation file and a folder of images, or a list of them.')
    .meta({ example: { annotations: 'annotations/instances_train2017.json', images: 'train2017' } }),
  val: cocoPlace
    .optional()
    .describe(
      'The validation part: it is scored after each epoch, and the best epoch is kept. Required without `split`.',
    )
    .meta({ example: { annotations: 'annotations/instances_val2017.json', images: 'val2017' } }),
  test: cocoPlace
    .nullish()
    .describe(
      'The test part: it is scored once, at the end, and nothing is chosen by it, so that its score is unbiased. Default: `null`, the validation part is scored again.',
    )
    .meta({
      example: { annotations: 'annotations/test.json', images: 'test' },
      when: 'Set it if you can spare the images.',
    }),
  split,
  ...common,
});

const vocPart = z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]);

const voc = z.strictObject({
  format: z.literal('voc').describe('Pascal VOC: Annotations/*.xml, ImageSets/Main/*.txt, JPEGImages/.'),
  root,
  train: vocPart
    .default('train')
    .describe(
      'Name of the list in ImageSets/Main to train on, without `.txt`; or a folder with XML files, or a list of such folders.',
    )
    .meta({ example: 'trainval', when: 'Name the list that you have.' }),
  val: vocPart
    .default('val')
    .describe(
      'Name of the list in ImageSets/Main to validate on, or folders with XML files: it is scored after each epoch, and the best epoch is kept.',
    )
    .meta({ example: 'test', when: 'Name the list that you have.' }),
  test: vocPart
    .nullish()
    .describe(
      'Name of the list of the test part, or folders with XML files: it is scored once, at the end, and nothing is chosen by it, so that its score is unbiased. Default: `null`, the validation part is scored again.',
    )
    .meta({ example: 'test', when: 'Set it if you can spare the images.' }),
  split,
  ...common,
});

const labels = z.strictObject({
  format: z
    .enum([
      'yolo',
      'createml',
      'labelme',
      'labelstudio',
      'vott',
      'via',
      'datumaro',
      'cvat',
      'supervisely',
      'cloud',
      'kitti',
      'widerface',
      'dota',
      'visdrone',
      'mot',
      'bdd100k',
      'darwin',
      'labelbox',
      'keras-yolo',
      'vision-language',
      'box-csv',
      'huggingface',
      'webdataset',
    ])
    .describe(
      '`yolo`: a text file for each image, with or without data.yaml. `createml`, `labelme`, `labelstudio`, `vott`, `via` (VGG Image Annotator), `datumaro` and `supervisely`: their JSON files. `cvat`: the XML file of CVAT for images or for video. `cloud`: the JSON lines of Vertex AI and SageMaker Ground Truth. `bdd100k`, `darwin` (V7) and `labelbox`: their JSON files. `keras-yolo`: a text file with an image and its boxes in each line. `vision-language`: the JSON lines of PaliGemma and Florence-2. `kitti`, `widerface`, `dota`, `visdrone` and `mot`: their text files. `box-csv`: a table with a box in each row. `huggingface`: an image folder with metadata.jsonl, or parquet files. `webdataset`: tar files. docs/data.md describes them.',
    ),
  ...labelFiles,
  split,
  ...common,
});

export const objectData = z
  .discriminatedUnion('format', [synthetic, coco, voc, labels])
  .describe('The data set to learn from. Its other options depend on `format`.');

const place = { format: true, root: true, train: true, val: true, categories: true } as const;
const divided = { ...place, split: true } as const;

/** Options for images of classes that a model already knows. */
export const replayObjects = z
  .discriminatedUnion('format', [
    synthetic.pick({ ...place, seed: true }),
    coco.pick(divided),
    voc.pick(divided),
    labels.pick(divided),
  ])
  .describe(
    'Images of the old classes: `train` is mixed into the training, `val` is scored before and after. The options are those of `data`; the old model must know all of their `categories`.',
  );
