import { keepsPixels } from '../data/pipeline/augment/kinds.js';
import { tableConflicts } from './backboneRules.js';
import { addingConflicts } from './addClassesRules.js';
import type { Conflict, Idle } from '../conflict.js';
import { detectorConflicts } from '../tasks/detection/conflicts.js';
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

/** Which optimizer and which schedule read an option. */
const readBy = {
  optimizer: { momentum: ['sgd', 'rmsprop'], nesterov: ['sgd'], betas: ['adamw', 'lamb'], smoothing: ['rmsprop'], epsilon: ['adamw', 'rmsprop', 'lamb'] },
  schedule: { at: ['step'], factor: ['step', 'plateau'], power: ['poly'], patience: ['plateau'] },
} as const; // prettier-ignore

/** Options of another optimizer or schedule than the recipe's, and a warm-up that nothing reads. */
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

/** Options that have no effect in this recipe. To write one is an error, and the resolved recipe leaves them out. */
export function idleOptions(recipe: Recipe): Conflict[] {
  const { train } = recipe;
  const idle = (...[path, when, instead]: Idle): Conflict => ({
    path,
    message: `"${path}" has no effect with ${when}`,
    fix: `remove it, or set ${instead}`,
  });
  return [
    ...idleInTask(recipe).map((option) => idle(...option)),
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
  ...(augment && !closes(augment)
    ? [['data.augment.closeMosaic', 'neither mosaic nor mixup', 'data.augment.mosaic or mixup'] satisfies Idle]
    : []),
];

const idleInClassification = ({ data: { resize, val }, addClasses }: Classification): Idle[] => [
  ...(addClasses?.distill === 0
    ? [['addClasses.temperature', 'addClasses.distill: 0', 'addClasses.distill: 1'] satisfies Idle]
    : []),
  ...(resize === 'crop' ? [] : [['data.cropFraction', `data.resize: ${resize}`, 'data.resize: crop'] satisfies Idle]),
  ...(typeof val === 'string'
    ? [['data.splitSeed', 'data.val naming a part', 'data.val to a share of the training images'] satisfies Idle]
    : []),
];

/** All contradictions of a recipe. `isSet` tells what the user wrote from what a default filled in. */
export function conflicts(recipe: Recipe, isSet: (path: string) => boolean): Conflict[] {
  const { data, train } = recipe;
  const found = idleOptions(recipe).filter(({ path }) => isSet(path));
  const { backbone } = recipe.model;
  if (typeof backbone === 'object') found.push(...tableConflicts(backbone));
  if (recipe.task === 'detection') found.push(...detectorConflicts(recipe.model, recipe.data.size, isSet));
  if (recipe.task !== 'text') found.push(...addingConflicts(recipe));
  if (train.cache !== 'none' && 'min' in data.size) {
    found.push({
      path: 'train.cache',
      message: `"train.cache: ${train.cache}" keeps features of one size, and data.size has several`,
      fix: 'set train.cache: none, or data.size to one size',
    });
  }
  const epochs = train.time === null ? train.epochs : Infinity; // not planned yet
  if (train.schedule.name !== 'onecycle' && train.warmup.steps === null && train.warmup.epochs > epochs) {
    found.push({
      path: isSet('train.warmup.epochs') ? 'train.warmup.epochs' : 'train.epochs',
      message: `the warm-up (train.warmup.epochs: ${train.warmup.epochs}) is longer than the run (train.epochs: ${train.epochs})`,
      fix: 'lower train.warmup.epochs, or raise train.epochs',
    });
  }
  if (train.schedule.name === 'step' && train.schedule.at.length === 0) {
    found.push({
      path: 'train.schedule.name',
      message: '"train.schedule.name: step" needs the epochs at which it cuts',
      fix: 'set train.schedule.at: [16, 22], say',
    });
  }
  const thaws = train.freeze.unfreeze.map(({ epoch }) => epoch);
  if (thaws.some((epoch, i) => epoch >= epochs || epoch <= (thaws[i - 1] ?? 0))) {
    found.push({
      path: 'train.freeze.unfreeze',
      message: `"train.freeze.unfreeze" wants epochs that rise and lie before the end of the run (${train.epochs}); got ${thaws.join(', ')}`,
      fix: 'put them in order, or raise train.epochs',
    });
  }
  const named = !('categories' in data) || typeof data.categories === 'string' ? undefined : data.categories;
  const repeated = named?.find((name, index, all) => all.indexOf(name) !== index);
  if (repeated !== undefined) {
    found.push({
      path: 'data.categories',
      message: `"data.categories" names "${repeated}" twice`,
      fix: 'name each category once',
    });
  }
  if (train.cache !== 'none' && train.freeze.stages === 0) {
    found.push({
      path: 'train.cache',
      message: `"train.cache: ${train.cache}" has nothing to keep, for no stage is frozen`,
      fix: 'set train.freeze.stages, or train.cache: none',
    });
  }
  const { augment } = data;
  if (train.cache !== 'none' && augment && !keepsPixels(augment)) {
    found.push({
      path: 'train.cache',
      message: `"train.cache: ${train.cache}" needs images that stay the same from epoch to epoch`,
      fix: 'switch everything in data.augment off (flip may stay), or set data.augment: false, or train.cache: none',
    });
  }
  if (augment && augment.kind === 'boxes' && closes(augment) && augment.closeMosaic >= epochs) {
    found.push({
      path: isSet('data.augment.closeMosaic') ? 'data.augment.closeMosaic' : 'train.epochs',
      message: `the last ${augment.closeMosaic} epochs (data.augment.closeMosaic) have neither mosaic nor mixup, and the run has ${train.epochs}`,
      fix: 'lower data.augment.closeMosaic, or raise train.epochs',
    });
  }
  return found;
}

type BoxAugment = Exclude<Detection['data']['augment'], false>;

const closes = ({ mosaic, mixup }: BoxAugment): boolean => mosaic + mixup > 0;
