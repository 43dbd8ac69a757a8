import type { Batch } from '../data/pipeline/loader.js';
import type { Feeds } from '../engine/engine.js';
import { imageFeed, programName, targetFeeds } from '../tasks/feeds.js';
import type { Targets } from '../tasks/network.js';
import { SEED } from '../tasks/seed.js';
import type { RunState } from './checkpoint/state.js';
import { emaShare } from './ema.js';
import type { OpenPhase } from './openPhase.js';
import type { Setup } from './setup.js';
import type { StepBatch } from './stepBatches.js';

/** What a batch is computed with, apart from its images. */
export interface StepInputs {
  readonly state: Pick<RunState, 'step' | 'averaged'>;
  /** The learning rate; undefined for a batch that only adds to the gradients of its step. */
  readonly lr: number | undefined;
}

/** What the session is fed for each part of a batch that this process computes. */
export async function stepFeeds(
  batch: StepBatch,
  setup: Setup,
  phase: OpenPhase,
  { state, lr }: StepInputs,
): Promise<readonly Feeds[]> {
  const { model, options } = setup;
  const { seed, share, ema } = options;
  const parts = [batch, ...batch.others];
  const pixels = await pixelFeeds(parts, setup, phase);
  return parts.map((part, i) => ({
    ...pixels[i]!,
    ...targetFeeds(part.encoded, options.batch, model.task, batch.size),
    ...(phase.plan.seeded && { [SEED]: Int32Array.of(seed | 0, state.step * share.count + share.rank + i) }),
    ...(lr !== undefined && { lr: Float32Array.of(lr) }),
    ...(lr !== undefined && ema && { emaShare: Float32Array.of(emaShare(state.averaged, ema)) }),
  }));
}

/** The pixels of each part in the last step of a phase. Their memory is used again: V8 collects garbage whenever some tens
 *  of MiB were allocated outside of its heap, and the pixels alone would make it do so in every second step or third. */
const lastPixels = new WeakMap<OpenPhase, Float32Array[]>();

/** The pixels or features of each part. They are overwritten by the next step. */
async function pixelFeeds(
  parts: readonly Batch<Targets>[],
  { model, options }: Setup,
  phase: OpenPhase,
): Promise<Feeds[]> {
  const { cache, prefix } = phase;
  const memory = lastPixels.get(phase) ?? [];
  lastPixels.set(phase, memory);
  const all: Feeds[] = [];
  for (const batch of parts) {
    const isLast = all.length === parts.length - 1;
    const pixels = () => {
      const image = imageFeed(batch.samples, options.batch, batch.size, memory[all.length]);
      memory[all.length] = image;
      return { image };
    };
    if (cache) {
      const features = await cache.features(batch, batch.size);
      all.push(isLast ? features : copied(features)); // the next call overwrites them
    } else all.push((await prefix?.run(programName('prefix', batch.size, model.task), pixels())) ?? pixels());
  }
  return all;
}

const copied = (feeds: Feeds): Feeds => Object.fromEntries(Object.entries(feeds).map(([name, values]) => [name, values.slice()])); // prettier-ignore
