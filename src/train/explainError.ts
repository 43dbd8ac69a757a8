import { FinetuneError } from '../errors.js';
import type { ProgressEvent } from '../progress.js';
import { StepNotFinite } from './notFinite.js';
import type { Trainer } from './trainer.js';

interface Hooks {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((event: ProgressEvent) => void) | undefined;
}

/** Adds to the E_LOSS_NOT_FINITE of a step the layer where the numbers stop being finite: repeats the steps since the last checkpoint
 *  up to the one that failed, which leaves the last good state in the session, and examines that one. Returns other
 *  errors as they are. */
export async function explainError(error: unknown, trainer: Trainer, { onProgress, signal }: Hooks): Promise<unknown> {
  // Several workers do not repeat their steps: their checkpoints may be of different ones.
  if (!(error instanceof StepNotFinite) || signal?.aborted || trainer.isShared) return error;
  const [problem] = error.problems;
  const { state } = trainer;
  const failed = state.step;
  onProgress?.({ message: `${problem!.message}: looking for the layer` });
  await trainer.rewind();
  await trainer.enterEpoch();
  for await (const batch of trainer.batches({ signal, prefetch: 1 })) {
    if (state.step === failed) break;
    await trainer.step(batch);
  }
  const where = await trainer.explainNextStep(signal);
  return new FinetuneError({ ...problem!, message: `${problem!.message}; ${where}` }, { cause: error });
}
