/** Every option of a recipe: its name, type, range, default and documentation. docs/recipe.md is written from this file.
 *  Nothing is parsed and then ignored: an option stands here once something reads it. */
import { z } from 'zod';
import { BACKBONES } from './backbones.js';

const count = z.int().min(1);
const fraction = z.number().min(0).max(1);
/** MobileNet's coarsest tap has stride 32, so a smaller input has no cell left there; 4096 catches slips of the finger. */
const pixels = z.int().min(32).max(4096);

const names = z.array(z.string().min(1));

/* data */

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
  size: z
    .union([pixels, z.tuple([pixels, pixels])])
    .transform((size): [height: number, width: number] => (typeof size === 'number' ? [size, size] : size))
    .prefault(320)
    .meta({
      description: "Pixels of the network's input: one number for a square, or `[height, width]`.",
      expects: 'a whole number of pixels from 32 to 4096, or [height, width]',
    }),
  resize: z
    .enum(['stretch', 'letterbox'])
    .default('stretch')
    .describe('`stretch` fills the input and changes the proportions, `letterbox` keeps them and pads.'),
  invalidBoxes: z
    .enum(['error', 'drop'])
    .default('error')
    .describe('What to do with a box without area or outside its image. What is dropped is counted in the report.'),
  brokenImages: z
    .enum(['error', 'drop'])
    .default('error')
    .describe(
      'What to do with an image that is missing or cannot be decoded. What is dropped is counted in the report.',
    ),
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
  prefetch: z.int().min(1).max(64).default(2).describe('Batches prepared ahead of the step that needs them.'),
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

const root = z
  .string()
  .min(1)
  .describe(
    "Folder of the data set. A relative one counts from the recipe's folder, or from the current directory when it is given by `--set`.",
  );

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

const data = z
  .discriminatedUnion('format', [synthetic, coco, voc])
  .describe('What to learn from. `format` decides about the other options.');

/* model */

const model = z.strictObject({
  backbone: z.enum(BACKBONES).default('mobilenetv2_100').meta({
    description: 'The network that extracts the features; docs/models.md compares them.',
    expects: 'the name of a backbone: `finetune models` lists them',
  }),
  head: z.enum(['ssdlite']).default('ssdlite').describe('The detector on top of it.'),
  weights: z
    .string()
    .regex(/^(file|https?|hf|npm|pip):.|^(?!.*\.(safetensors|pth|pt|bin|h5|json)$)[\w-]+\.\w+$/)
    .optional()
    .meta({
      description:
        'Where to start from: `file:x.safetensors`, `https://…`, `hf:owner/name`, `npm:package@version/path`, `pip:package==version/path`, or a name of the catalog (docs/weights.md); `#sha256=…` behind it is checked. A relative file counts as `data.root` does. Without it: random values.',
      expects: 'a URI that starts with file:, https:, hf:, npm: or pip:, or a name of the catalog',
    }),
  allowMissing: names
    .default([])
    .describe(
      'Patterns (`*` stands for anything) of parameters that the weights may lack; those keep their random values.',
    ),
  allowUnused: names
    .default([])
    .describe('Patterns (`*` stands for anything) of tensors in the weights that the model may leave unused.'),
  classLoss: z
    .enum(['sigmoid', 'softmax'])
    .default('softmax')
    .describe(
      '`sigmoid`: one yes-or-no output for each class, focal loss. `softmax`: the classes and a background compete, hard negatives are mined.',
    ),
  lowestLevelAnchors: z
    .literal([3, 6])
    .default(3)
    .describe('Anchors per cell of the finest feature level; the other levels have 6.'),
});

/* train */

const train = z.strictObject({
  epochs: count.default(24).describe('Passes over the training part.'),
  batch: count.default(8).describe('Images per step.'),
  optimizer: z
    .strictObject({
      name: z.enum(['sgd']).default('sgd').describe('Stochastic gradient descent with momentum.'),
      momentum: z.number().min(0).lt(1).default(0.9).describe('Share of the last step carried into the next.'),
      nesterov: z.boolean().default(true).describe("Nesterov's form of momentum."),
      weightDecay: z
        .number()
        .min(0)
        .default(4e-5)
        .describe('Decay of the weights, decoupled from the gradient; biases and BatchNorm have none.'),
    })
    .prefault({})
    .describe('How gradients become steps.'),
  lr: z
    .strictObject({
      value: z.number().positive().default(0.02).describe('The peak learning rate for `perBatch` images.'),
      perBatch: count
        .default(32)
        .describe(
          'The batch that `value` is meant for: the rate used is value × train.batch / perBatch, and it is printed.',
        ),
    })
    .prefault({})
    .describe('The learning rate.'),
  warmup: z
    .strictObject({
      epochs: z.number().min(0).default(1).describe('Epochs of linear rise from 0; 0.5 is half an epoch.'),
    })
    .prefault({})
    .describe('The rise of the learning rate at the start.'),
  schedule: z
    .enum(['cosine'])
    .default('cosine')
    .describe('The way of the learning rate after warm-up: half a cosine down to 0.'),
  backboneLr: z.number().min(0).default(1).describe("Factor on the learning rate of the backbone's parameters."),
  clipNorm: z
    .number()
    .positive()
    .nullable()
    .default(10)
    .describe('Largest global norm of the gradient, longer ones are scaled down; `null` for no limit.'),
  freeze: z
    .strictObject({
      stages: z
        .union([z.literal('all'), z.int().min(0)])
        .default(0)
        .describe('Stages of the backbone that stay as loaded, counted from the input; `all` for the whole backbone.'),
      batchNorm: z
        .enum(['train', 'eval', 'frozen'])
        .default('train')
        .describe(
          "BatchNorm in the backbone's trained stages. `train`: the batch's statistics, running ones updated. `eval`: running ones, not updated. `frozen`: as `eval`, and scale and shift are not trained either.",
        ),
    })
    .prefault({})
    .describe(
      'What does not change. Frozen means frozen: the run directory holds a receipt with hashes from before and after.',
    ),
  hardNegatives: z
    .number()
    .positive()
    .default(3)
    .describe(
      'Background anchors per matched anchor that enter the loss, hardest first. Only with `model.classLoss: softmax`.',
    ),
  focal: z
    .strictObject({
      alpha: fraction.default(0.25).describe('Weight of the positive anchors; the negative ones weigh 1 − alpha.'),
      gamma: z
        .number()
        .refine((gamma) => gamma === 0 || gamma >= 1) // between them the gradient is infinite at p = 1
        .default(2)
        .meta({
          description: 'How much easy anchors are played down; 0 is plain cross-entropy.',
          expects: '0, or a number, at least 1',
        }),
    })
    .prefault({})
    .describe('Focal loss (Lin et al. 2017, arXiv:1708.02002). Only with `model.classLoss: sigmoid`.'),
  cache: z
    .enum(['none', 'memory', 'disk'])
    .default('none')
    .describe(
      'Where the outputs of the frozen stages are kept, so that each image runs through them once. Needs frozen stages and no augmentation but `flip`.',
    ),
  cacheLimit: z
    .int()
    .min(1)
    .default(1024)
    .describe('Most MiB the cache may take; images beyond that are computed again.'),
  evaluateEvery: count.default(1).describe('Epochs between evaluations; the last epoch is always evaluated.'),
  logEvery: count.default(10).describe('Steps per line of metrics.jsonl.'),
});

/* evaluate, report */

const evaluate = z.strictObject({
  scoreThreshold: fraction.default(0.001).describe('Detections that score less are left out.'),
  nmsThreshold: fraction
    .default(0.6)
    .describe('A detection that overlaps a better one of its class by a larger IoU is left out.'),
  maxDetections: count.default(100).describe('Most detections per image, best first.'),
  batch: count.default(8).describe('Images per call.'),
});

const report = z.strictObject({
  images: z.int().min(0).default(24).describe('Images shown with their predictions, worst first.'),
});

/* A second task turns this into z.discriminatedUnion('task', …); check.ts and reference.ts are ready for it. */
export const recipeSchema = z.strictObject({
  task: z.literal('detection').describe('What to learn.'),
  seed: z.int().min(0).max(0xffffffff).default(1).describe('Seed of everything random in the run.'),
  engine: z
    .enum(['auto', 'tensorflow-gpu', 'tensorflow', 'wasm'])
    .default('auto')
    .describe(
      'Who does the arithmetic. `auto` takes the first of the three that is there; `finetune doctor` says which.',
    ),
  out: z
    .string()
    .min(1)
    .default('runs')
    .describe('Folder in which the run directory is made, relative to the current directory.'),
  data,
  model: model.prefault({}).describe('What learns.'),
  train: train.prefault({}).describe('How it learns.'),
  evaluate: evaluate.prefault({}).describe('How it is scored.'),
  report: report.prefault({}).describe('What report.html shows.'),
});

/** A recipe as the rest of the program sees it: every default filled in, `data.root` absolute, `data.size` a pair. */
export type Recipe = z.output<typeof recipeSchema>;
