import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { FinetuneError } from '../errors.js';
import type { Dataset } from '../data/sample.js';
import type { Augment } from '../data/pipeline/augment/kinds.js';
import { countBatches, type Batch, type ImageOptions } from '../data/pipeline/loader.js';
import { mixedLength } from '../data/oldImages.js';
import { repeatedLength, wantedRepeats } from '../data/repeatFactor.js';
import type { Backend } from '../engine/backend.js';
import type { Feeds, Results, Session } from '../engine/engine.js';
import type { Params } from '../graph/params.js';
import type { OptimizerOptions } from '../graph/update.js';
import type { Model } from '../tasks/model.js';
import { saveModel } from './modelWeights.js';
import { isOver, type EarlyStop } from './best.js';
import { calibrateBatchNorm } from './calibrate.js';
import {
  checkpointFile,
  findCheckpoint,
  loadCheckpoint,
  saveCheckpoint,
  startSlots,
  type RunState,
} from './checkpoint.js';
import type { FeatureCache } from './featureCache.js';
import { imageFeed, programName, targetFeeds } from '../tasks/feeds.js';
import { emaShare, type EmaOptions } from './ema.js';
import { freezePhases, phaseAt, planFreeze, type FreezeOptions } from './freeze.js';
import { planGroups, type GroupOptions } from './groups.js';
import { explainNotFinite } from './notFinite.js';
import { openPhase, planPhase, type Phase } from './phase.js';
import { checkFrozen } from './preflight.js';
import { averageName } from './programs.js';
import { freezeReceipt, promiseFreeze } from './receipt.js';
import type { FreezeReceipt } from './record.js';
import { SEED } from '../tasks/seed.js';
import type { Targets } from '../tasks/network.js';
import { learningRate, level, type Schedule, type ScheduleShape } from './schedule.js';

export interface TrainOptions extends ImageOptions {
  readonly epochs: number;
  /** Most steps of an epoch; null: all images. */
  readonly stepsPerEpoch: number | null;
  readonly batch: number;
  /** Images per call of the session's program `evaluate`. */
  readonly evaluateBatch: number;
  readonly optimizer: OptimizerOptions & Pick<GroupOptions, 'weightDecay' | 'decayOn'>;
  /** Batches per step. */
  readonly accumulate: number;
  /** `value` is meant for `perBatch` images and scaled to those of a step. */
  readonly lr: { readonly value: number; readonly perBatch: number };
  /** `steps` instead of `epochs` where it is not null. */
  readonly warmup: { readonly epochs: number; readonly steps: number | null };
  readonly schedule: ScheduleShape;
  readonly backboneLr: number;
  readonly layerDecay: number;
  readonly groups: GroupOptions['groups'];
  readonly clipNorm: number | null;
  readonly clipValue: number | null;
  readonly ema: EmaOptions | false;
  readonly freeze: FreezeOptions;
  readonly cache: 'none' | 'memory' | 'disk';
  /** MiB. */
  readonly cacheLimit: number;
  /** Steps, or a duration: 5m. */
  readonly checkpointEvery: number | string;
  readonly evaluateEvery: number;
  readonly earlyStop: EarlyStop | false;
  readonly logEvery: number;
  readonly seed: number;
  /** Images of categories on a smaller share of the images are repeated; null: every image once an epoch. */
  readonly repeatThreshold: number | null;
  readonly augment: Augment | false;
  /** The run directory. */
  readonly directory: string;
  /** Identifies the recipe in the checkpoints. */
  readonly recipe: string;
  /** Go on from the directory's last checkpoint. */
  readonly resume?: boolean | undefined;
}

/** A model on an engine, being trained; whoever opens it disposes of it. */
export interface Trainer {
  readonly model: Model;
  /** Another one after each thawing. */
  readonly session: Session;
  readonly state: RunState;
  readonly schedule: Schedule;
  readonly cache: FeatureCache | undefined;
  /** How often each image comes in an epoch, on average; undefined for once. */
  readonly repeat: Float64Array | undefined;
  /** Why it does not go on from the last checkpoint but from one before. */
  readonly instead: string | undefined;
  /** Before the steps of an epoch: thaws what is due, and says so in a sentence. */
  enterEpoch(): Promise<string | undefined>;
  /** One batch, at the schedule's learning rate or another one. Throws E_LOSS_NOT_FINITE with the images' files. */
  step(loaded: Batch<Targets>, lr?: number): Promise<{ readonly results: Results; readonly lr: number }>;
  saveLast(): Promise<void>;
  /** Saves if there is something new and the last step went well; for the way out after an error. */
  saveSound(): Promise<void>;
  saveBest(): Promise<void>;
  /** Back to the last checkpoint, or to where the training began. */
  rewind(): Promise<void>;
  /** Where the numbers of the next step on this batch stop being finite, in words. */
  explainNotFinite(loaded: Batch<Targets>): Promise<string>;
  /** Holds the last checkpoint and the engine's constants against freeze.json; undefined if nothing is frozen. */
  freezeReceipt(): Promise<FreezeReceipt | undefined>;
  /** What is worth saying at the end, a sentence each. */
  notes(): string[];
  dispose(): Promise<void>;
}

const firstState = (recipe: string): RunState => ({
  step: 0,
  epoch: 0,
  batch: 0,
  lossSum: 0,
  seconds: 0,
  bestEpoch: 0,
  bestScore: 0,
  thawed: 0,
  averaged: 0,
  plateau: level,
  waiting: { mark: null, since: 0 },
  recipe,
});

/** Gets everything ready for the first step, or for the next one after the last checkpoint.
 *  Throws E_DATA_TOO_FEW, E_FREEZE_STAGES, E_GRAD_MISSING, and what the engine and the checkpoint throw. */
export async function openTrainer(
  start: Model,
  data: Dataset,
  backend: Backend,
  options: TrainOptions,
): Promise<Trainer> {
  const { batch, directory } = options;
  // Another old model would make another run of it.
  const recipe = start.old ? `${options.recipe}/${start.old.sha256}` : options.recipe;
  const repeat = wantedRepeats(data, options.repeatThreshold);
  const single = data.old ? mixedLength(batch, data.old) : data.annotations.length;
  const images = repeat ? repeatedLength(repeat) : single;
  const stepsPerEpoch = Math.min(countBatches(images, batch, true), options.stepsPerEpoch ?? Infinity);
  if (stepsPerEpoch === 0) {
    const message = `${images} images do not fill a batch of ${batch}`;
    const fix = `set train.batch to at most ${images}`;
    throw new FinetuneError({ code: 'E_DATA_TOO_FEW', option: 'train.batch', message, fix });
  }
  const phases = freezePhases(options.freeze).map((phase) => ({
    ...phase,
    plan: planFreeze(start.backbone, start.parameters, phase),
  }));
  const trainsBatchNorm = (path: string): boolean => phases.some(({ plan }) => plan.trainBatchNorm(path));
  // A run that was killed before its first checkpoint begins anew, and comes to the same.
  const found = options.resume ? await findCheckpoint(directory, { setAside: true }) : undefined;
  const batchStatistics = !found && start.folded.some(trainsBatchNorm);
  const begun = batchStatistics ? await calibrateBatchNorm(start, data, backend, trainsBatchNorm, options) : start;
  const trainable = [...begun.parameters]
    .filter(
      ([name, { role }]) => role !== 'mean' && role !== 'variance' && !phases.every(({ plan }) => plan.frozen(name)),
    )
    .map(([name]) => name);
  const groupOf = planGroups(begun.backbone, begun.parameters, trainable, { ...options, ...options.optimizer });
  // All of them, so that what is wrong with a later one is said before the first step.
  const planned = phases.map((phase) => planPhase(begun, phase, groupOf, options));
  for (const [i, { programs }] of planned.entries()) checkFrozen(programs, phases[i]!.plan);

  const state = found?.state ?? firstState(recipe);
  let phase: Phase = planned[state.thawed]!;
  const checkpoint = found && (await loadCheckpoint(found, begun, phase.slots, recipe));
  let values: Params = checkpoint?.params ?? new Map([...begun.params, ...startSlots(phase.slots, begun.params)]);
  const model: Model = checkpoint ? { ...begun, folded: checkpoint.folded } : begun;
  const imagesPerStep = batch * options.accumulate;
  const schedule: Schedule = {
    peak: (options.lr.value * imagesPerStep) / options.lr.perBatch,
    warmupSteps: options.warmup.steps ?? Math.round(options.warmup.epochs * stepsPerEpoch),
    totalSteps: options.epochs * stepsPerEpoch,
    stepsPerEpoch,
    shape: options.schedule,
  };
  await mkdir(join(directory, 'checkpoints'), { recursive: true });
  let live = await openPhase(phase, values, data, backend, options);

  /** The model's values as they stand: what the session holds, and what it never saw because it was folded. */
  const snapshot = async ({ averaged = false } = {}): Promise<Params> => {
    const { parameters } = phase;
    const place = (name: string): string => (averaged && parameters.has(averageName(name)) ? averageName(name) : name);
    const names = [...model.parameters.keys()];
    const read = await live.session.read(names.map(place).filter((name) => parameters.has(name)));
    return new Map(names.map((name) => [name, read.get(place(name)) ?? values.get(name)!]));
  };
  const everything = async (): Promise<Params> =>
    new Map([...(await snapshot()), ...(await live.session.read([...phase.slots.keys()]))]);
  const frozen = [...model.parameters.keys()].filter((name) => phases.every(({ plan }) => plan.frozen(name)));
  if (frozen.length > 0 && !found) await promiseFreeze(directory, frozen, values, model.parameters);
  let sound = true;
  let saved = state.step;
  const saveLast = async (): Promise<void> => {
    await saveCheckpoint(directory, model, await everything(), phase.slots, state);
    saved = state.step;
  };
  /** What was trained before keeps its slots, by name; what thaws starts with new ones. */
  const enterPhase = async (index: number, kept: Params): Promise<void> => {
    live.session.dispose();
    await live.cache?.dispose();
    state.thawed = index;
    phase = planned[index]!;
    values = new Map([...startSlots(phase.slots, kept), ...kept]);
    live = await openPhase(phase, values, data, backend, options);
  };
  const scheduledRate = (): number => learningRate(state.step, schedule, state.plateau) * phases[state.thawed]!.lr;
  const ran = { steps: 0, milliseconds: 0 };

  return {
    model,
    state,
    schedule,
    repeat,
    get session() {
      return live.session;
    },
    get cache() {
      return live.cache;
    },
    instead: found?.instead,
    async enterEpoch() {
      const due = phaseAt(state.epoch, options.freeze);
      if (due === state.thawed) return undefined;
      await enterPhase(due, await everything());
      const { stages } = phases[due]!;
      return `after ${state.epoch} epochs, frozen: ${typeof stages === 'object' ? stages.join(', ') || 'nothing' : stages}`;
    },
    async step(loaded, lr = scheduledRate()) {
      const next = state.step + 1;
      const gathers = next % options.accumulate !== 0 && next !== schedule.totalSteps;
      const { cache, session } = live;
      const { samples, size } = loaded;
      const pixels: Feeds = cache ? await cache.features(loaded, size) : { image: imageFeed(samples, batch, size) };
      const begin = performance.now();
      sound = false;
      const results = await session.run(programName(gathers ? 'gather' : 'train', size, model.task), {
        ...pixels,
        ...targetFeeds(loaded.encoded, batch, model.task, size),
        ...(phase.seeded && { [SEED]: Int32Array.of(options.seed | 0, state.step) }),
        ...(!gathers && { lr: Float32Array.of(lr) }),
        ...(!gathers && options.ema && { emaShare: Float32Array.of(emaShare(state.averaged, options.ema)) }),
      });
      const bad = ['loss', 'gradientNorm'].find((name) => !Number.isFinite(results[name]![0]));
      if (bad) {
        const message = `the ${bad} is ${results[bad]![0]!} at step ${state.step + 1}, on ${samples.map(({ file }) => file).join(', ')}`;
        const fix = 'lower train.lr.value, or look at these images; the last checkpoint is from before';
        throw new FinetuneError({ code: 'E_LOSS_NOT_FINITE', message, fix });
      }
      sound = true;
      ran.steps++;
      ran.milliseconds += performance.now() - begin;
      state.step++;
      if (!gathers && options.ema) state.averaged++;
      state.batch++;
      state.lossSum += results.loss![0]!;
      return { results, lr };
    },
    saveLast,
    async saveSound() {
      if (sound && state.step > saved) await saveLast();
    },
    async saveBest() {
      await saveModel({ ...model, params: await snapshot({ averaged: true }) }, checkpointFile(directory, 'best'));
    },
    async rewind() {
      const last = await findCheckpoint(directory);
      const back = last?.state ?? firstState(recipe);
      if (back.thawed !== state.thawed) await enterPhase(back.thawed, begun.params);
      const start = new Map([...begun.params, ...startSlots(phase.slots, begun.params)]);
      const params = last ? (await loadCheckpoint(last, model, phase.slots, recipe)).params : start;
      await live.session.write(new Map([...params].filter(([name]) => phase.parameters.has(name))));
      Object.assign(state, back);
      sound = true;
    },
    explainNotFinite: async (loaded) =>
      explainNotFinite(model, await snapshot(), loaded, backend, {
        batch,
        plan: phases[state.thawed]!.plan,
      }),
    async freezeReceipt() {
      if (frozen.length === 0) return undefined;
      const { params } = await loadCheckpoint((await findCheckpoint(directory))!, model, phase.slots, recipe);
      const derived = phase.programs.derive(params);
      return freezeReceipt(directory, derived, await live.session.read([...derived.keys()]));
    },
    notes: () => (live.cache ? [live.cache.report(ran.milliseconds / Math.max(ran.steps, 1))] : []),
    async dispose() {
      live.session.dispose();
      await live.cache?.dispose({ keep: !isOver(state, options) });
    },
  };
}
