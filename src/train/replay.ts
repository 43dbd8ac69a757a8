import type { Dataset, Sample } from '../data/sample.js';
import { loadBatches, type Batch, type LoadOptions } from '../data/pipeline/loader.js';
import { FinetuneError } from '../errors.js';
import type { ProgressEvent } from '../progress.js';
import type { Targets } from '../tasks/network.js';
import type { TrainOptions, Trainer } from './trainer.js';

interface Hooks {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((event: ProgressEvent) => void) | undefined;
}

/** How the batches from the next step to the end of its epoch are read. */
export const loadingOf = ({ model, state, repeat }: Trainer, options: TrainOptions) => ({
  ...options,
  size: model.size,
  epoch: state.epoch,
  startAt: state.batch,
  shuffle: true,
  repeat,
  dropLast: true,
  mostBatches: options.stepsPerEpoch ?? undefined,
});

/** Adds to a loss that is not finite where it comes from: repeats the steps since the last checkpoint, stops before the one that
 *  failed, which leaves the last good state in the session, and looks into that one. Other errors pass. */
export async function explainError(
  error: unknown,
  trainer: Trainer,
  data: Dataset,
  options: TrainOptions,
  { onProgress, signal }: Hooks,
): Promise<unknown> {
  if (!(error instanceof FinetuneError) || error.code !== 'E_LOSS_NOT_FINITE' || signal?.aborted) return error;
  const { model, state, cache } = trainer;
  const failed = state.step;
  onProgress?.({ message: `${error.problems[0]!.message}: looking for the layer` });
  await trainer.rewind();
  const loading = { ...loadingOf(trainer, options), signal, encode: (sample: Sample) => model.task.encode(sample) };
  // What the cache holds need not be read again, but for the batch to look into.
  const isKnown = cache && ((index: number, flipped: boolean) => state.step < failed && cache.has(index, flipped));
  for await (const loaded of loadBatches(data, { ...loading, prefetch: 1, isKnown })) {
    if (state.step < failed) {
      await trainer.step(loaded);
      continue;
    }
    const whole = cache ? await firstBatch(data, { ...loading, startAt: state.batch }) : loaded;
    const where = await trainer.explainNotFinite(whole);
    const [problem] = error.problems;
    return new FinetuneError({ ...problem!, message: `${problem!.message}; ${where}` }, { cause: error });
  }
  return error;
}

async function firstBatch(data: Dataset, options: LoadOptions<Targets>): Promise<Batch<Targets>> {
  for await (const batch of loadBatches(data, options)) return batch;
  throw new FinetuneError({ code: 'E_INTERNAL', message: 'internal: the epoch has no such batch' });
}
