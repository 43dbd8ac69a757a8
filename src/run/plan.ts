import { join } from 'node:path';
import { z } from 'zod';
import { secondsOf } from '../duration.js';
import { FinetuneError, formatProblem } from '../errors.js';
import { readOwnJson } from '../files/readOwnJson.js';
import type { ProgressEvent } from '../progress.js';
import { locateProblem } from '../recipe/places.js';
import { conflicts } from '../recipe/rules.js';
import type { Recipe } from '../recipe/schema.js';
import { withTrain } from '../recipe/withTrain.js';
import { planBatch } from '../train/costs/batchPlan.js';
import { peakBytes, resetPeak } from '../train/costs/peakMemory.js';
import type { Costs } from '../train/costs/rehearse.js';
import { planTime, type Length } from '../train/costs/timePlan.js';
import { imagesPerEpoch, lengthOf, measureCosts, type MeasureOptions } from './measure.js';
import type { OpenedRecipe } from './openRecipe.js';
import { scheduleWarnings, shorterWarmup } from './scheduleWarnings.js';

export interface PlanOptions extends MeasureOptions {
  readonly onProgress?: ((event: ProgressEvent) => void) | undefined;
}

const MIB = 2 ** 20;
/** Share of the free memory that `batch: auto` uses: the rest is for other programs, and for what was not measured. */
const MEMORY_SHARE = 0.7;
/** Share of the remaining time that `time` plans with: the steps of a whole run take longer than the few that were
 *  timed (11 % longer in 4 minutes of BCCD). */
const TIME_SHARE = 0.9;
/** Least steps of an epoch with `batch: auto`: a larger batch would leave a small data set with too few steps. */
const LEAST_STEPS = 16;

/** An opened recipe without `time` and `batch: auto`. */
export interface PlannedRun extends OpenedRecipe {
  /** Present if something was planned. The run directory keeps it as plan.json, so that a run is continued as it was
   *  planned. */
  readonly plan?: Plan;
}

/** Measures the machine and puts numbers in place of `batch: auto` and `time`.
 *  Throws E_MEMORY_SHORT, E_TIME_SHORT, and E_RECIPE_CONFLICT where the epochs that fit are too few for other
 *  options. */
export async function planRun(opened: OpenedRecipe, options: PlanOptions): Promise<PlannedRun> {
  const { time, batch, memory } = opened.recipe.train;
  if (time === null && batch !== 'auto') return warned(opened, options);
  const sized = batch === 'auto' ? await withBatch(opened, options) : { recipe: opened.recipe, costs: undefined };
  const timed = { ...opened, recipe: sized.recipe };
  const recipe = time === null ? sized.recipe : await withTime(timed, sized.costs, options);
  const { batch: found, epochs, stepsPerEpoch, warmup } = recipe.train;
  const isShorter = warmup.steps !== opened.recipe.train.warmup.steps;
  const plan: Plan = {
    asked: { time, batch, memory },
    found: { batch: found, epochs, stepsPerEpoch, ...(isShorter && { warmupSteps: warmup.steps }) },
  };
  return { ...warned({ ...opened, recipe }, options, time), plan };
}

/** The run with remarks on a schedule that cannot work, each told with its place in the recipe. */
function warned(opened: OpenedRecipe, { onProgress, workers }: PlanOptions, time: string | null = null): OpenedRecipe {
  const { recipe, data, remarks } = opened;
  const found = scheduleWarnings(recipe, imagesPerEpoch(recipe, data.train), { workers, time });
  for (const warning of found) onProgress?.({ message: `warning: ${formatProblem(locateProblem(warning, recipe))}` });
  return {
    ...opened,
    remarks: [
      ...remarks,
      ...found.map(({ message, fix }) => `${message[0]!.toUpperCase()}${message.slice(1)}: ${fix}.`),
    ],
  };
}

const batchSchema = z.union([z.number(), z.literal('auto')]);
/** What the recipe asked for, and the numbers that were found for it. */
const planSchema = z.object({
  asked: z.object({ time: z.string().nullable(), batch: batchSchema, memory: z.number().nullable() }),
  found: z.object({
    batch: batchSchema,
    epochs: z.number(),
    stepsPerEpoch: z.number().nullable(),
    /** Present if the warm-up of the recipe was too long for the run. */
    warmupSteps: z.number().nullable().optional(),
  }),
});
export type Plan = z.infer<typeof planSchema>;

/** The recipe with the numbers that were found for the run in a directory, where the recipe asks for the same as
 *  that run did. */
export async function asPlanned(directory: string, wanted: Recipe): Promise<Recipe> {
  const file = join(directory, 'plan.json');
  const fix = `continue with the run's own recipe, which has the planned numbers: ${join(directory, 'recipe.yaml')}`;
  const plan = await readOwnJson(file, { parse: (content) => planSchema.parse(content), fix });
  if (!plan) return wanted;
  const { asked, found } = plan;
  const { time, batch, memory } = wanted.train;
  const { epochs, stepsPerEpoch, warmupSteps } = found;
  const isSized = batch === 'auto' && asked.batch === 'auto' && memory === asked.memory;
  const isTimed = time !== null && time === asked.time;
  return withTrain(wanted, {
    ...(isSized && { batch: found.batch }),
    ...(isTimed && { time: null, epochs, stepsPerEpoch }),
    ...(isTimed && warmupSteps != null && { warmup: { ...wanted.train.warmup, steps: warmupSteps } }),
  });
}

async function withBatch(asked: OpenedRecipe, options: PlanOptions): Promise<{ recipe: Recipe; costs: Costs }> {
  const { recipe, data, model } = asked;
  resetPeak();
  const used = peakBytes();
  const { memory } = recipe.train;
  const budget = memory === null ? used + MEMORY_SHARE * process.availableMemory() : memory * MIB;
  const say = (message: string) => options.onProgress?.({ message });
  say(`batch: auto: measuring steps within ${mebibytes(budget)}`);
  const found = await planBatch(
    {
      budget,
      most: Math.max(1, Math.floor(imagesPerEpoch(recipe, data.train) / (options.workers ?? 1) / LEAST_STEPS)),
      rest: used + 8 * model.count.params, // parameters and one slot each
    },
    (batch) => batch * model.count.activationBytes,
    (batch) => measureCosts({ ...asked, recipe: withTrain(recipe, { batch }) }, 0, options),
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
      message: `${time} is not enough for one step and one evaluation, after ${spent.toFixed(0)} s of preparation`,
      fix: 'raise train.time, or use fewer images for validation',
    });
  }
  const { epochs, stepsPerEpoch, seconds } = plan;
  const [{ costs }] = length.phases as [Length['phases'][number]];
  const steps = stepsPerEpoch === null ? `${length.fullEpoch} steps` : `${stepsPerEpoch} of ${length.fullEpoch} steps`;
  onProgress?.({
    message: `planned for ${time}: ${epochs} epochs of ${steps}, ${((spent + seconds) / 60).toFixed(1)} min (a step ${costs.step.toFixed(3)} s, an evaluation ${(length.validated * costs.evaluateImage).toFixed(1)} s, a checkpoint ${costs.checkpoint.toFixed(2)} s)`,
  });
  const long = withTrain(recipe, { time: null, epochs, stepsPerEpoch });
  const { warmup } = long.train;
  const shorter = shorterWarmup(long.train, stepsPerEpoch ?? length.fullEpoch);
  if (shorter !== undefined)
    onProgress?.({
      message: `the warm-up takes ${shorter} steps, a twentieth of the planned run: that of the recipe would take most of it`,
    });
  const made = shorter === undefined ? long : withTrain(long, { warmup: { ...warmup, steps: shorter } });
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
