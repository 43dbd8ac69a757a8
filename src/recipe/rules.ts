import type { Conflict } from '../conflict.js';
import { keepsPixels } from '../data/pipeline/augment/kinds.js';
import { cut } from '../errors.js';
import { detectorConflicts } from '../tasks/detection/conflicts.js';
import { addingConflicts } from './addClassesRules.js';
import { tableConflicts } from '../tasks/backboneConflicts.js';
import { idleOptions, mixesImages } from './idleOptions.js';
import type { Recipe } from './schema.js';

/** Whether the user wrote an option, rather than a default filling it in. */
type IsSet = (path: string) => boolean;

/** All contradictions of a recipe. */
export function conflicts(recipe: Recipe, isSet: IsSet): Conflict[] {
  const { backbone } = recipe.model;
  return [
    ...idleOptions(recipe).filter(({ path }) => isSet(path)),
    ...(typeof backbone === 'object' ? tableConflicts(backbone) : []),
    ...(recipe.task === 'detection' ? detectorConflicts(recipe.model, recipe.data.size, isSet) : []),
    ...(recipe.task === 'text' ? [] : addingConflicts(recipe)),
    ...categoryConflicts(recipe),
    ...partConflicts(recipe),
    ...cacheConflicts(recipe),
    ...lengthConflicts(recipe, isSet),
  ];
}

function categoryConflicts({ data }: Recipe): Conflict[] {
  const names = 'categories' in data && Array.isArray(data.categories) ? data.categories : undefined;
  const seen = new Set<string>();
  const repeated = names?.find((name) => seen.size === seen.add(name).size);
  if (repeated === undefined) return [];
  const message = `"data.categories" names "${cut(repeated)}" twice`;
  return [{ path: 'data.categories', message, fix: 'name each category once' }];
}

/** A part to validate on is either in the data set or divided from the training part. */
function partConflicts({ data }: Recipe): Conflict[] {
  if (data.format === 'synthetic' || data.format === 'synthetic-text') return [];
  const { split, val } = data;
  if (!split && val === undefined && (data.format === 'coco' || data.format === 'icdar'))
    return [
      {
        path: 'data.val',
        message: `"data" has no part to validate on`,
        fix: 'set data.val, or data.split: {val: 0.2}, which holds out a fifth of the training images',
      },
    ];
  if (!split || split.val + split.test < 1) return [];
  const message = `"data.split" holds out ${split.val} + ${split.test} of the images, which leaves none to train on`;
  return [{ path: 'data.split', message, fix: 'lower data.split.val or data.split.test' }];
}

/** A cache keeps the features of frozen stages, so it needs such stages, one input size, and images that do not
 *  change. */
function cacheConflicts({ data, train: { cache, freeze } }: Recipe): Conflict[] {
  if (cache === 'none') return [];
  const found: Conflict[] = [];
  const add = (reason: string, fix: string): void =>
    void found.push({ path: 'train.cache', message: `"train.cache: ${cache}" ${reason}`, fix });
  if ('min' in data.size)
    add('keeps features of one size, and data.size has several', 'set train.cache: none, or data.size to one size');
  if (freeze.stages === 0)
    add('has nothing to keep: no stage is frozen', 'set train.freeze.stages, or train.cache: none');
  if (data.augment && !keepsPixels(data.augment)) {
    const fix =
      'switch everything in data.augment off (flip may stay), or set data.augment: false, or train.cache: none';
    add('needs images that stay the same from epoch to epoch', fix);
  }
  return found;
}

/** Epochs of options that do not fit the length of the run. With `train.time`, the length is not known until the run
 *  is planned. */
function lengthConflicts({ data, train }: Recipe, isSet: IsSet): Conflict[] {
  const { warmup, schedule, freeze } = train;
  const epochs = train.time === null ? train.epochs : Infinity;
  const found: Conflict[] = [];
  if (schedule.name !== 'onecycle' && warmup.steps === null && warmup.epochs > epochs) {
    found.push({
      path: isSet('train.warmup.epochs') ? 'train.warmup.epochs' : 'train.epochs',
      message: `the warm-up (train.warmup.epochs: ${warmup.epochs}) is longer than the run (train.epochs: ${train.epochs})`,
      fix: 'lower train.warmup.epochs, or raise train.epochs',
    });
  }
  if (schedule.name === 'step' && schedule.at.length === 0) {
    found.push({
      path: 'train.schedule.name',
      message: '"train.schedule.name: step" needs the epochs at which it lowers the learning rate',
      fix: 'set train.schedule.at, for example to [16, 22]',
    });
  }
  const thaws = freeze.unfreeze.map(({ epoch }) => epoch);
  if (thaws.some((epoch, i) => epoch >= epochs || epoch <= (thaws[i - 1] ?? 0))) {
    found.push({
      path: 'train.freeze.unfreeze',
      message: `"train.freeze.unfreeze" needs epochs in rising order, before the end of the run (${train.epochs}); got ${thaws.join(', ')}`,
      fix: 'put them in order, or raise train.epochs',
    });
  }
  const { augment } = data;
  if (augment && augment.kind === 'boxes' && mixesImages(augment) && augment.closeMosaic >= epochs) {
    found.push({
      path: isSet('data.augment.closeMosaic') ? 'data.augment.closeMosaic' : 'train.epochs',
      message: `the last ${augment.closeMosaic} epochs (data.augment.closeMosaic) have neither mosaic nor mixup, and the run has ${train.epochs}`,
      fix: 'lower data.augment.closeMosaic, or raise train.epochs',
    });
  }
  return found;
}
