import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Category, Dataset } from '../data/sample.js';
import { viewsOf } from '../data/views.js';
import { withTemporaryFolder } from '../files/folders.js';
import type { ProgressEvent } from '../progress.js';
import type { Recipe } from '../recipe/schema.js';
import { withTrain } from '../recipe/withTrain.js';
import { withRecipe } from '../run/openRecipe.js';
import { taskOptions } from '../run/taskOptions.js';
import { train } from '../train/loop.js';
import type { StepLine } from '../train/log/record.js';
import type { TrainOptions } from '../train/options.js';
import { trainOptions } from '../run/trainOptions.js';

export interface OverfitResult {
  readonly images: number;
  readonly steps: number;
  /** Mean loss of the first steps, and of the last ones. */
  readonly first: number;
  readonly last: number;
  readonly learned: boolean;
  /** Where to look if it did not learn, the most likely place first. */
  readonly hints: readonly string[];
}

export interface OverfitOptions {
  /** Number of images (default: 10). */
  readonly n?: number;
  readonly steps?: number;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((event: ProgressEvent) => void) | undefined;
}

/** The model has learned the images when the loss is at most this share of the first one. */
const LEARNED = 0.2;
/** Steps per measurement. */
const GROUP = 5;

/** Trains on the first `n` images with objects, without augmentation and weight decay, and leaves nothing behind. A
 *  model that cannot learn ten images by heart has a bug, which more images will not cure. */
export const overfit = (
  recipe: Recipe,
  { n = 10, steps = 200, signal, onProgress }: OverfitOptions = {},
): Promise<OverfitResult> =>
  withRecipe(recipe, { signal, onProgress }, async ({ backend, data, model }) => {
    const few = firstWithObjects(viewsOf(data.train, taskOptions(recipe).images.tiles), data.categories, n);
    const images = few.annotations.length;
    return withTemporaryFolder(join(tmpdir(), 'finetune-overfit-'), async (directory) => {
      const options = withoutHelp(recipe, { images, n, steps, directory });
      const { lines, stopped } = await train(model, few, backend, options, { signal, onProgress });
      if (stopped) signal?.throwIfAborted();
      const groups = lines.filter((line): line is StepLine => line.type === 'step');
      const learned = groups.length > 0 && groups.at(-1)!.loss <= LEARNED * groups[0]!.loss;
      return {
        images,
        steps: groups.at(-1)?.step ?? 0,
        first: groups[0]?.loss ?? NaN,
        last: groups.at(-1)?.loss ?? NaN,
        learned,
        hints: learned ? [] : hintsFor(groups, options),
      };
    });
  });

/** The first images with objects, of large ones their tiles. None is repeated, and no images of old classes are mixed
 *  in. */
function firstWithObjects(train: Dataset, categories: readonly Category[], n: number): Dataset {
  const withObjects = train.annotations.filter(({ ignore }) => ignore.includes(false));
  const annotations = (withObjects.length > 0 ? withObjects : train.annotations).slice(0, n);
  const { name, dropped, toCoco } = train;
  return { name, dropped, toCoco, categories, annotations };
}

/** The recipe's training without everything that makes it harder to learn images by heart. */
function withoutHelp(
  recipe: Recipe,
  { images, n, steps, directory }: { images: number; n: number; steps: number; directory: string },
): TrainOptions {
  const { batch: asked } = recipe.train;
  const batch = Math.min(asked === 'auto' ? n : asked, images);
  const epochs = Math.ceil(steps / Math.max(1, Math.floor(images / batch)));
  const given = trainOptions(withTrain(recipe, { batch }), taskOptions(recipe).images, directory);
  return {
    ...given,
    augment: false,
    epochs,
    batch,
    warmup: { ...given.warmup, epochs: Math.min(given.warmup.epochs, epochs / 10) },
    optimizer: { ...given.optimizer, weightDecay: 0 },
    cache: 'none',
    tiles: undefined, // the images are cut already
    stepsPerEpoch: null,
    earlyStop: false,
    repeatThreshold: null,
    logEvery: GROUP,
  };
}

/** Reads from the curves why the images were not learned. */
export function hintsFor(
  groups: readonly Pick<StepLine, 'loss' | 'parts' | 'gradientNorm'>[],
  { freeze, batch }: Pick<TrainOptions, 'freeze' | 'batch'>,
): string[] {
  const [first, last] = [groups[0], groups.at(-1)];
  if (!first || !last) return ['there were too few steps to see a trend: raise --steps'];
  const hints: string[] = [];
  if (last.gradientNorm < 1e-6)
    hints.push(
      'no gradient arrives: everything that the loss depends on is frozen (train.freeze), or the targets are empty',
    );
  const stuck = Object.keys(first.parts).filter((name) => last.parts[name]! > 0.5 * first.parts[name]!);
  const fell = Object.keys(first.parts).filter((name) => !stuck.includes(name));
  if (stuck.length > 0 && fell.length > 0)
    hints.push(
      `${fell.join(', ')} fell and ${stuck.join(', ')} did not: look at the targets and the weight of ${stuck.join(', ')}`,
    );
  const highest = Math.max(...groups.map(({ loss }) => loss));
  if (highest > 2 * first.loss)
    hints.push(
      `the loss rose to ${highest.toFixed(2)} on the way: lower train.lr.value; finetune lr-find suggests one`,
    );
  else if (last.loss < 0.7 * first.loss)
    hints.push('the loss falls, but slowly: raise train.lr.value (finetune lr-find suggests one) or --steps');
  if (freeze.stages === 'all') hints.push('the whole backbone is frozen (train.freeze.stages: all): try fewer stages');
  if (freeze.batchNorm === 'train' && batch < 4)
    hints.push(`BatchNorm takes its statistics from ${batch} images: set train.freeze.batchNorm: eval`);
  hints.push('look at the boxes and categories of these images (finetune check)');
  return hints;
}
