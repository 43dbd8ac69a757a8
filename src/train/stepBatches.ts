import { loadBatches, type Batch } from '../data/pipeline/loader.js';
import type { Share } from '../data/pipeline/share.js';
import type { Targets } from '../tasks/network.js';
import type { RunState } from './checkpoint/state.js';
import type { FeatureCache } from './features/featureCache.js';
import type { Setup } from './setup.js';

export interface BatchesOptions {
  readonly signal?: AbortSignal | undefined;
  /** Batches that are loaded ahead; default: the recipe's. */
  readonly prefetch?: number;
  /** Read the pixels of images whose features are cached, too. */
  readonly allPixels?: boolean;
}

/** The images of a step: a batch, or those parts of it that this process computes, the first of which is the batch itself. */
export interface StepBatch extends Batch<Targets> {
  readonly others: readonly Batch<Targets>[];
}

/** What the batches depend on: the run, its state, and the features that are known already. */
export interface BatchSource extends Setup {
  readonly state: Pick<RunState, 'epoch' | 'batch'>;
  readonly cache: FeatureCache | undefined;
}

/** The batches from the next step to the end of its epoch, with the parts of each that this process computes. */
export async function* stepBatches(
  source: BatchSource,
  loading: BatchesOptions,
): AsyncGenerator<StepBatch, void, undefined> {
  const { rank, count, own } = source.options.share;
  const [first, ...others] = Array.from({ length: own }, (_, i) =>
    loadPart(source, { rank: rank + i, count }, loading),
  );
  try {
    for await (const batch of first!) {
      const more = await Promise.all(others.map(async (part) => (await part.next()).value!)); // as many as of the first part
      yield { ...batch, others: more };
    }
  } finally {
    await Promise.all(others.map((part) => part.return()));
  }
}

/** One part of each batch. */
function loadPart(
  { model, plan, data, options, state, cache }: BatchSource,
  share: Share,
  { allPixels = false, ...loading }: BatchesOptions,
): AsyncGenerator<Batch<Targets>, void, undefined> {
  return loadBatches(data, {
    ...options,
    share,
    ...loading,
    size: model.size,
    epoch: state.epoch,
    startAt: state.batch,
    shuffle: true,
    repeat: plan.repeat,
    dropLast: true,
    mostBatches: options.stepsPerEpoch ?? undefined,
    encode: (sample) => model.task.encode(sample),
    isKnown: allPixels ? undefined : cache?.has,
  });
}
