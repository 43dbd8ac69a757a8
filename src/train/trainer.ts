import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { FinetuneError } from '../errors.js';
import type { Dataset } from '../data/sample.js';
import type { TextAugment } from '../data/text/augmentText.js';
import type { AugmentOptions } from '../data/augment.js';
import type { WholeImageAugment } from '../data/augmentWhole.js';
import type { Batch, ImageOptions } from '../data/loader.js';
import type { Backend } from '../engine/backend.js';
import { compile } from '../engine/compile.js';
import { inputsOf, parametersOf, type Feeds, type Results, type Session } from '../engine/engine.js';
import type { Params } from '../graph/params.js';
import { saveModel, type Model } from '../model.js';
import { calibrateBatchNorm } from './calibrate.js';
import {
  checkpointFile,
  emptySlots,
  findCheckpoint,
  loadCheckpoint,
  saveCheckpoint,
  type RunState,
} from './checkpoint.js';
import { openFeatureCache, type FeatureCache } from './featureCache.js';
import { imageFeed, targetFeeds } from './feeds.js';
import { planFreeze, type FreezeOptions } from './freeze.js';
import { explainNotFinite } from './notFinite.js';
import { buildPrograms } from './programs.js';
import { freezeReceipt, promiseFreeze } from './receipt.js';
import type { FreezeReceipt } from './record.js';
import { SEED } from '../tasks/seed.js';
import type { Targets } from '../tasks/task.js';
import { learningRate, type Schedule } from './schedule.js';

export interface TrainOptions extends ImageOptions {
  readonly epochs: number;
  readonly batch: number;
  /** Images per call of the session's program `evaluate`. */
  readonly evaluateBatch: number;
  readonly optimizer: { readonly momentum: number; readonly nesterov: boolean; readonly weightDecay: number };
  /** `value` is meant for `perBatch` images and scaled to the batch. */
  readonly lr: { readonly value: number; readonly perBatch: number };
  readonly warmup: { readonly epochs: number };
  readonly backboneLr: number;
  readonly clipNorm: number | null;
  readonly freeze: FreezeOptions;
  readonly cache: 'none' | 'memory' | 'disk';
  /** MiB. */
  readonly cacheLimit: number;
  /** Steps, or a duration: 5m. */
  readonly checkpointEvery: number | string;
  readonly evaluateEvery: number;
  readonly logEvery: number;
  readonly seed: number;
  readonly augment: AugmentOptions | WholeImageAugment | TextAugment | false;
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
  readonly session: Session;
  readonly state: RunState;
  readonly schedule: Schedule;
  readonly cache: FeatureCache | undefined;
  /** Why it does not go on from the last checkpoint but from one before. */
  readonly instead: string | undefined;
  /** One step on a batch, at the schedule's learning rate or another one. Throws E_LOSS_NOT_FINITE with the images' files. */
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
  bestScore: -1,
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
  const { batch, directory, recipe } = options;
  const stepsPerEpoch = Math.floor(data.annotations.length / batch);
  if (stepsPerEpoch === 0) {
    const message = `${data.annotations.length} images do not fill a batch of ${batch}`;
    throw new FinetuneError({
      code: 'E_DATA_TOO_FEW',
      message,
      fix: `set train.batch to at most ${data.annotations.length}`,
    });
  }
  const plan = planFreeze(start.backbone, start.parameters, options.freeze);
  // A run that was killed before its first checkpoint begins anew, and comes to the same.
  const found = options.resume ? await findCheckpoint(directory, { setAside: true }) : undefined;
  const batchStatistics = !found && start.folded.some((path) => plan.trainBatchNorm(path));
  const begun = batchStatistics ? await calibrateBatchNorm(start, data, backend, plan.trainBatchNorm, options) : start;
  const programs = buildPrograms(begun, {
    batch,
    evaluateBatch: options.evaluateBatch,
    plan,
    optimizer: {
      ...options.optimizer,
      clipNorm: options.clipNorm,
      lrScale: (name) => (name.startsWith('backbone.') ? options.backboneLr : 1),
    },
    split: options.cache !== 'none',
  });
  const all = {
    train: programs.train,
    evaluate: programs.evaluate,
    ...(programs.prefix && { prefix: programs.prefix }),
  };
  const seeded = inputsOf(programs.train).some(({ name }) => name === SEED);
  const parameters = parametersOf(all);
  const slots = new Map([...parameters].filter(([, { role }]) => role === 'slot'));
  const checkpoint = found && (await loadCheckpoint(found, begun, slots, recipe));
  const values: Params = checkpoint?.params ?? new Map([...begun.params, ...emptySlots(slots)]);
  const model: Model = checkpoint ? { ...begun, folded: checkpoint.folded } : begun;
  const state = found?.state ?? firstState(recipe);
  const schedule = {
    peak: (options.lr.value * batch) / options.lr.perBatch,
    warmupSteps: Math.round(options.warmup.epochs * stepsPerEpoch),
    totalSteps: options.epochs * stepsPerEpoch,
  };
  await mkdir(join(directory, 'checkpoints'), { recursive: true });
  // What was folded is frozen for good, so it may be part of the graph.
  const session = await compile(all, backend, programs.derive(values));
  await session.write(new Map([...values].filter(([name]) => parameters.has(name))));
  const cache = programs.prefix && openFeatureCache(session, programs.prefix, options, directory);

  /** The model's values as they stand: what the session holds, and what it never saw because it was folded. */
  const snapshot = async (): Promise<Params> => {
    const live = await session.read([...parameters.keys()].filter((name) => model.parameters.has(name)));
    return new Map([...model.parameters.keys()].map((name) => [name, live.get(name) ?? values.get(name)!]));
  };
  const frozen = [...model.parameters.keys()].filter(plan.frozen);
  if (frozen.length > 0 && !found) await promiseFreeze(directory, frozen, values, model.parameters);
  let sound = true;
  let saved = state.step;
  const saveLast = async (): Promise<void> => {
    const moments = await session.read([...slots.keys()]);
    await saveCheckpoint(directory, model, new Map([...(await snapshot()), ...moments]), slots, state);
    saved = state.step;
  };
  const ran = { steps: 0, milliseconds: 0 };

  return {
    model,
    session,
    state,
    schedule,
    cache,
    instead: found?.instead,
    async step(loaded, lr = learningRate(state.step, schedule)) {
      const { samples } = loaded;
      const pixels: Feeds = cache
        ? await cache.features(loaded, model.size)
        : { image: imageFeed(samples, batch, model.size) };
      const begin = performance.now();
      sound = false;
      const results = await session.run('train', {
        ...pixels,
        ...targetFeeds(loaded.encoded, batch, model.task),
        lr: Float32Array.of(lr),
        ...(seeded && { [SEED]: Int32Array.of(options.seed | 0, state.step) }),
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
      state.batch++;
      state.lossSum += results.loss![0]!;
      return { results, lr };
    },
    saveLast,
    async saveSound() {
      if (sound && state.step > saved) await saveLast();
    },
    async saveBest() {
      await saveModel({ ...model, params: await snapshot() }, checkpointFile(directory, 'best'));
    },
    async rewind() {
      const last = await findCheckpoint(directory);
      const params = last ? (await loadCheckpoint(last, model, slots, recipe)).params : values;
      await session.write(new Map([...params].filter(([name]) => parameters.has(name))));
      Object.assign(state, last?.state ?? firstState(recipe));
      sound = true;
    },
    explainNotFinite: async (loaded) => explainNotFinite(model, await snapshot(), loaded, backend, { batch, plan }),
    async freezeReceipt() {
      if (frozen.length === 0) return undefined;
      const { params } = await loadCheckpoint((await findCheckpoint(directory))!, model, slots, recipe);
      const derived = programs.derive(params);
      return freezeReceipt(directory, derived, await session.read([...derived.keys()]));
    },
    notes: () => (cache ? [cache.report(ran.milliseconds / Math.max(ran.steps, 1))] : []),
    async dispose() {
      session.dispose();
      await cache?.dispose();
    },
  };
}
