import { mixedLength } from '../data/oldImages.js';
import { countBatches } from '../data/pipeline/loader.js';
import { repeatedLength, wantedRepeats } from '../data/repeatFactor.js';
import type { Dataset } from '../data/sample.js';
import { viewsOf } from '../data/views.js';
import { evaluate } from '../evaluate/evaluate.js';
import type { Recipe } from '../recipe/schema.js';
import { freezePhases } from '../train/freeze.js';
import { rehearse, type Costs } from '../train/costs/rehearse.js';
import type { Length } from '../train/costs/timePlan.js';
import type { OpenedRecipe } from './openRecipe.js';
import { recipePseudoLabels } from './pseudoLabels.js';
import { taskOptions } from './taskOptions.js';
import { trainOptions } from './trainOptions.js';

export interface MeasureOptions {
  /** The run directory, or a folder on its file system. */
  readonly directory: string;
  readonly signal?: AbortSignal | undefined;
  /** Workers that share the images of each epoch; default: 1. */
  readonly workers?: number | undefined;
}

/** Measures the costs of a run's parts at the beginning of a phase of freezing (0: from the start). Where batches
 *  have several shapes, all steps have the largest one, which takes the most time and memory. */
export async function measureCosts(
  { recipe, data, model, backend }: OpenedRecipe,
  phase: number,
  { directory, signal }: MeasureOptions,
): Promise<Costs> {
  const images = { ...taskOptions(recipe).images, buckets: undefined };
  const { stages, batchNorm } = freezePhases(recipe.train.freeze)[phase]!;
  const options = { ...trainOptions(recipe, images, directory), freeze: { stages, batchNorm } };
  const labels = recipePseudoLabels(recipe, data.train, directory);
  const { batch } = recipe.evaluate;
  return rehearse(model, data.train, backend, options, {
    beside: directory,
    validation: data.val,
    evaluate: (live, session, part) => evaluate(live, session, part, { ...images, batch, signal }),
    timeRound: labels && ((session, task) => labels.timeRound(session, task)),
    signal,
  });
}

/** Images that an epoch uses, repetitions included. */
export function imagesPerEpoch(recipe: Recipe, images: Dataset): number {
  const { batch } = recipe.train;
  const train = viewsOf(images, taskOptions(recipe).images.tiles);
  if (train.old && batch !== 'auto') return mixedLength(batch, train.old);
  const repeat = wantedRepeats(train, taskOptions(recipe).repeatThreshold);
  return repeat ? repeatedLength(repeat) : train.annotations.length;
}

/** Everything that the time of a run depends on: its steps and evaluations, and the costs at the beginning of each
 *  phase of freezing. `known` are those of the first phase, if they were measured before. */
export async function lengthOf(
  planned: OpenedRecipe,
  known: Costs | undefined,
  options: MeasureOptions,
): Promise<Length> {
  const { recipe, data } = planned;
  const { batch, freeze, evaluateEvery, stepsPerEpoch } = recipe.train;
  const { workers = 1 } = options;
  const old = data.old?.after.annotations.length ?? 0;
  const epochs = [0, ...freeze.unfreeze.map(({ epoch }) => epoch)];
  const phases: Length['phases'][number][] = [];
  for (const [i, epoch] of epochs.entries())
    phases.push({ epoch, costs: i === 0 && known ? known : await measureCosts(planned, i, options) });
  return {
    fullEpoch: Math.min(
      countBatches(imagesPerEpoch(recipe, data.train), Number(batch) * workers, true),
      stepsPerEpoch ?? Infinity,
    ),
    evaluateEvery,
    labelEvery: taskOptions(recipe).pseudoLabels?.refresh ?? 1,
    validated: data.val.annotations.length + old,
    scored: (data.test ?? data.val).annotations.length + 2 * old, // the old model scores the old images, too
    phases,
  };
}
