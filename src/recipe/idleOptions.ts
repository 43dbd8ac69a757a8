import type { Conflict, Idle } from '../conflict.js';
import { headOf } from '../tasks/detection/detectors.js';
import type { Recipe } from './schema.js';

type Detection = Extract<Recipe, { readonly task: 'detection' }>;
type Classification = Extract<Recipe, { readonly task: 'classification' }>;

function idleInTask(recipe: Recipe): readonly Idle[] {
  switch (recipe.task) {
    case 'detection':
      return idleInDetection(recipe);
    case 'classification':
      return idleInClassification(recipe);
    case 'text':
      return recipe.train.loss === 'mse' ? [['train.negatives', 'train.loss: mse', 'train.loss: hardNegatives']] : [];
  }
}

/** The optimizers and schedules that read an option. */
const readBy = {
  optimizer: {
    momentum: ['sgd', 'rmsprop'],
    nesterov: ['sgd'],
    betas: ['adamw', 'lamb'],
    smoothing: ['rmsprop'],
    epsilon: ['adamw', 'rmsprop', 'lamb'],
  },
  schedule: { at: ['step'], factor: ['step', 'plateau'], power: ['poly'], patience: ['plateau'] },
} as const;

/** Options of other optimizers and schedules than the recipe's, and a warm-up that the schedule does not read. */
function optimizerOptions({ optimizer, schedule, warmup }: Recipe['train']): Idle[] {
  const chosen = { optimizer: optimizer.name, schedule: schedule.name };
  const idle = Object.entries(readBy).flatMap(([part, options]) => {
    const name: string = chosen[part as keyof typeof chosen];
    return Object.entries(options as Record<string, readonly string[]>)
      .filter(([, readers]) => !readers.includes(name))
      .map(([option, readers]): Idle => [
        `train.${part}.${option}`,
        `train.${part}.name: ${name}`,
        `train.${part}.name: ${readers.join(' or ')}`,
      ]);
  });
  if (schedule.name === 'onecycle')
    idle.push(['train.warmup', 'train.schedule.name: onecycle, which has its own', 'another schedule']);
  else if (warmup.steps !== null) idle.push(['train.warmup.epochs', 'train.warmup.steps', 'train.warmup.steps: null']);
  return idle;
}

/** Where parts are that `data.split` divides from the training part instead. */
const dividedParts = (data: Recipe['data']): Idle[] =>
  'split' in data && data.split
    ? [
        ...['data.val', 'data.splitSeed'].map((path): Idle => [path, 'data.split', 'data.split: null']),
        ...(data.split.test > 0 ? [['data.test', 'data.split.test', 'data.split.test: 0'] satisfies Idle] : []),
      ]
    : [];

/** Options that have no effect in this recipe. Writing one is an error, and the resolved recipe leaves them out. */
export function idleOptions(recipe: Recipe): Conflict[] {
  const { train } = recipe;
  const idle = (...[path, when, instead]: Idle): Conflict => ({
    path,
    message: `"${path}" has no effect with ${when}`,
    fix: `remove it, or set ${instead}`,
  });
  return [
    ...idleInTask(recipe).map((option) => idle(...option)),
    ...dividedParts(recipe.data).map((option) => idle(...option)),
    ...optimizerOptions(train).map((option) => idle(...option)),
    ...(train.time === null
      ? []
      : ['train.epochs', 'train.stepsPerEpoch'].map((path) => idle(path, 'train.time', 'train.time: null'))),
    ...(train.batch === 'auto' ? [] : [idle('train.memory', `train.batch: ${train.batch}`, 'train.batch: auto')]),
    ...(train.cache === 'none' ? [idle('train.cacheLimit', 'train.cache: none', 'train.cache: memory or disk')] : []),
  ];
}

const idleInDetection = ({ data: { augment, size }, model, evaluate }: Detection): Idle[] => [
  ...('min' in size ? [['data.resize', 'data.size.min and max', 'data.size to one size'] satisfies Idle] : []),
  ...(headOf(model.head).idle?.(model) ?? []),
  ...(evaluate.nms === 'softGaussian'
    ? [['evaluate.nmsThreshold', 'evaluate.nms: softGaussian', 'evaluate.nms: hard or softLinear'] satisfies Idle]
    : []),
  ...(augment && !mixesImages(augment)
    ? [['data.augment.closeMosaic', 'neither mosaic nor mixup', 'data.augment.mosaic or mixup'] satisfies Idle]
    : []),
];

const idleInClassification = ({ data: { resize, val, split }, addClasses }: Classification): Idle[] => [
  ...(addClasses?.distill === 0
    ? [['addClasses.temperature', 'addClasses.distill: 0', 'addClasses.distill: 1'] satisfies Idle]
    : []),
  ...(resize === 'crop' ? [] : [['data.cropFraction', `data.resize: ${resize}`, 'data.resize: crop'] satisfies Idle]),
  ...(typeof val === 'string' && !split
    ? [['data.splitSeed', 'data.val naming a part', 'data.val to a share of the training images'] satisfies Idle]
    : []),
];

type BoxAugment = Exclude<Detection['data']['augment'], false>;

/** Whether images of several files share an input: `closeMosaic` switches that off for the last epochs. */
export const mixesImages = ({ mosaic, mixup }: BoxAugment): boolean => mosaic + mixup > 0;
