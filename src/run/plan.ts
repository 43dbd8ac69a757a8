import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { countBatches } from '../data/pipeline/loader.js';
import { mixedLength } from '../data/oldImages.js';
import { repeatedLength, wantedRepeats } from '../data/repeatFactor.js';
import type { Dataset } from '../data/sample.js';
import type { OpenedRecipe } from './openRecipe.js';
import { FinetuneError } from '../errors.js';
import { evaluate } from '../evaluate/evaluate.js';
import type { ProgressEvent } from '../progress.js';
import { secondsOf } from '../duration.js';
import { conflicts } from '../recipe/rules.js';
import type { Recipe } from '../recipe/schema.js';
import { withTrain } from '../recipe/withTrain.js';
import { planBatch } from '../train/costs/batchPlan.js';
import { freezePhases } from '../train/freeze.js';
import { peakBytes, resetPeak } from '../train/costs/peakMemory.js';
import { rehearse, type Costs } from '../train/costs/rehearse.js';
import { planTime, type Length } from '../train/costs/timePlan.js';
import { recipePseudoLabels } from './pseudoLabels.js';
import { taskOptions } from './taskOptions.js';
import { trainOptions } from './trainOptions.js';

export interface PlanOptions {
  /** The run directory, or a folder on its file system. */
  readonly directory: string;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((event: ProgressEvent) => void) | undefined;
}

const MIB = 2 ** 20;
/** Of what is free, for `batch: auto`: the rest is for other programs, and for what was not measured. */
const MEMORY_SHARE = 0.7;
/** Of the time that is left, for `time`: the steps of a whole run take longer than the few that were timed (4 minutes of BCCD: 11 % longer). */
const TIME_SHARE = 0.9;
/** Least steps of an epoch with `batch: auto`: with fewer, the few images of a small data set would make too few steps. */
const LEAST_STEPS = 16;

/** An opened recipe without `time` and `batch: auto`. */
export interface PlannedRun extends OpenedRecipe {
  /** What was asked and what was found, if something was planned: the run directory keeps it as plan.json, so that a run is continued as it
   *  was planned. */
  readonly plan?: Plan;
}

/** Measures the machine and puts numbers in place of `batch: auto` and `time`.
 *  Throws E_MEMORY_SHORT, E_TIME_SHORT, and E_RECIPE_CONFLICT where the epochs that fit are too few for other options. */
export async function planRun(opened: OpenedRecipe, options: PlanOptions): Promise<PlannedRun> {
  const { time, batch, memory } = opened.recipe.train;
  if (time === null && batch !== 'auto') return opened;
  const sized = batch === 'auto' ? await withBatch(opened, options) : { recipe: opened.recipe, costs: undefined };
  const timed = { ...opened, recipe: sized.recipe };
  const recipe = time === null ? sized.recipe : await withTime(timed, sized.costs, options);
  const { batch: found, epochs, stepsPerEpoch } = recipe.train;
  const plan: Plan = { asked: { time, batch, memory }, found: { batch: found, epochs, stepsPerEpoch } };
  return { ...opened, recipe, plan };
}

type Numbers = Recipe['train'];
export interface Plan {
  readonly asked: Pick<Numbers, 'time' | 'batch' | 'memory'>;
  readonly found: Pick<Numbers, 'batch' | 'epochs' | 'stepsPerEpoch'>;
}

/** A recipe that asks for what the run in the directory was planned for, with the numbers that were found. */
export async function asPlanned(directory: string, wanted: Recipe): Promise<Recipe> {
  const text = await readFile(join(directory, 'plan.json'), 'utf8').catch(() => undefined);
  if (text === undefined) return wanted;
  const { asked, found } = JSON.parse(text) as Plan;
  const { time, batch, memory } = wanted.train;
  const sized = batch === 'auto' && asked.batch === 'auto' && memory === asked.memory;
  return withTrain(wanted, {
    ...(sized && { batch: found.batch }),
    ...(time !== null && time === asked.time && { time: null, epochs: found.epochs, stepsPerEpoch: found.stepsPerEpoch }),
  }); // prettier-ignore
}

/** Measures what the parts of the run cost. With thawing, at the beginning of each phase for itself. */
export async function measure(
  { recipe, data, model, backend }: OpenedRecipe,
  phase: number,
  { directory, signal }: PlanOptions,
): Promise<Costs> {
  const images = { ...taskOptions(recipe).images, buckets: undefined }; // all in the largest shape: at most so long, at most so much memory
  const { stages, batchNorm } = freezePhases(recipe.train.freeze)[phase]!;
  const options = trainOptions(recipe, images, directory);
  const labels = recipePseudoLabels(recipe, data.train, directory);
  return rehearse(model, data.train, backend, { ...options, freeze: { stages, batchNorm } }, {
    beside: directory,
    validation: data.val,
    evaluate: (live, session, part) => evaluate(live, session, part, { ...images, batch: recipe.evaluate.batch, signal }),
    timeRound: labels && ((session, task) => labels.timeRound(session, task)),
    signal,
  }); // prettier-ignore
}

/** Images of an epoch, repetitions counted. */
export function imagesOf(recipe: Recipe, train: Dataset): number {
  const { batch } = recipe.train;
  if (train.old && batch !== 'auto') return mixedLength(batch, train.old);
  const repeat = wantedRepeats(train, taskOptions(recipe).repeatThreshold);
  return repeat ? repeatedLength(repeat) : train.annotations.length;
}

async function withBatch(asked: OpenedRecipe, options: PlanOptions): Promise<{ recipe: Recipe; costs: Costs }> {
  const { recipe, data, model } = asked;
  resetPeak();
  const used = peakBytes();
  const budget = recipe.train.memory === null ? used + MEMORY_SHARE * process.availableMemory() : recipe.train.memory * MIB; // prettier-ignore
  const say = (message: string) => options.onProgress?.({ message });
  say(`batch: auto: measuring steps within ${mebibytes(budget)}`);
  const found = await planBatch(
    {
      budget,
      most: Math.max(1, Math.floor(imagesOf(recipe, data.train) / LEAST_STEPS)),
      rest: used + 8 * model.count.params, // parameters and one slot each
    },
    (batch) => batch * model.count.activationBytes,
    (batch) => measure({ ...asked, recipe: withTrain(recipe, { batch }) }, 0, options),
  );
  if (!found) {
    throw new FinetuneError({
      code: 'E_MEMORY_SHORT',
      option: 'train.memory',
      message: `a step does not fit into ${mebibytes(budget)} even with the smallest batch`,
      fix: 'raise train.memory, lower data.size, or freeze more stages (train.freeze.stages)',
    });
  }
  say(`batch ${found.batch}: ${mebibytes(found.bytes)} measured, of ${mebibytes(budget)}`);
  return { recipe: withTrain(recipe, { batch: found.batch, memory: null }), costs: found.measured };
}

const mebibytes = (bytes: number): string => `${Math.round(bytes / MIB)} MiB`;

/** What decides about how long the run takes, with the costs of each phase of freezing. */
export async function lengthOf(planned: OpenedRecipe, known: Costs | undefined, options: PlanOptions): Promise<Length> {
  const { recipe, data } = planned;
  const { batch, freeze, evaluateEvery, stepsPerEpoch } = recipe.train;
  const old = data.old?.after.annotations.length ?? 0;
  const epochs = [0, ...freeze.unfreeze.map(({ epoch }) => epoch)];
  const phases: Length['phases'][number][] = [];
  for (const [i, epoch] of epochs.entries())
    phases.push({ epoch, costs: i === 0 && known ? known : await measure(planned, i, options) });
  return {
    fullEpoch: Math.min(countBatches(imagesOf(recipe, data.train), Number(batch), true), stepsPerEpoch ?? Infinity),
    evaluateEvery,
    labelEvery: taskOptions(recipe).pseudoLabels?.refresh ?? 1,
    validated: data.val.annotations.length + old,
    scored: (data.test ?? data.val).annotations.length + 2 * old, // by the old model, too
    phases,
  };
}

async function withTime(planned: OpenedRecipe, known: Costs | undefined, options: PlanOptions): Promise<Recipe> {
  const { recipe, began } = planned;
  const { onProgress } = options;
  const time = recipe.train.time!;
  onProgress?.({ message: `time: ${time}: timing some steps, an evaluation and a checkpoint` });
  const length = await lengthOf(planned, known, options);
  const spent = (performance.now() - began) / 1000;
  const plan = planTime(TIME_SHARE * (secondsOf(time) - spent), length);
  if (!plan) {
    throw new FinetuneError({
      code: 'E_TIME_SHORT',
      option: 'train.time',
      message: `${time} is not enough for one step and one evaluation, after ${spent.toFixed(0)} s of getting ready`,
      fix: 'raise train.time, or take fewer images for validation',
    });
  }
  const { epochs, stepsPerEpoch, seconds } = plan;
  const [{ costs }] = length.phases as [Length['phases'][number]];
  const steps = stepsPerEpoch === null ? `${length.fullEpoch} steps` : `${stepsPerEpoch} of ${length.fullEpoch} steps`;
  onProgress?.({
    message: `planned for ${time}: ${epochs} epochs of ${steps}, ${((spent + seconds) / 60).toFixed(1)} min (a step ${costs.step.toFixed(3)} s, an evaluation ${(length.validated * costs.evaluateImage).toFixed(1)} s, a checkpoint ${costs.checkpoint.toFixed(2)} s)`,
  });
  const made = withTrain(recipe, { time: null, epochs, stepsPerEpoch });
  const problems = conflicts(made, () => false);
  if (problems.length > 0) {
    throw new FinetuneError(
      problems.map(({ path, message, fix }) => ({
        code: 'E_RECIPE_CONFLICT',
        option: path,
        message: `train.time: ${time} gives ${epochs} epochs: ${message}`,
        fix: fix.replace('train.epochs', 'train.time'),
      })),
    );
  }
  return made;
}
