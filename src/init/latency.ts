import { openBackend } from '../engine/backend.js';
import { installForInference } from '../engine/install/installForInference.js';
import { measureLatency } from '../evaluate/latency.js';
import type { ProgressEvent } from '../progress.js';
import type { Recipe } from '../recipe/schema.js';
import { taskOptions } from '../run/taskOptions.js';

/** A model that may be chosen, by what it is called in messages. */
export interface Candidate {
  readonly name: string;
  readonly recipe: Recipe;
}

interface Hooks {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((event: ProgressEvent) => void) | undefined;
}

/** The first of the candidates that predicts one image within `budget` milliseconds on this machine, or the last one,
 *  by its index. They come slowest first, and are measured in turn, so that a slow moment of the machine affects all of
 *  them. */
export async function withinLatency(
  candidates: readonly Candidate[],
  budget: number,
  classes: number,
  hooks: Hooks,
): Promise<{ readonly index: number; readonly milliseconds: number }> {
  await installForInference('auto', hooks);
  const targets = candidates.map(({ recipe }) => {
    const task = taskOptions(recipe).createTask(classes);
    const size = task.evaluateSize ?? task.size;
    return [Object.values(task.build({ batch: 1, size, trainBatchNorm: () => false }).outputs)];
  });
  hooks.signal?.throwIfAborted();
  const times = (await measureLatency(targets, await openBackend())).map(([milliseconds]) => milliseconds!);
  const said = candidates.map(({ name }, i) => `${name} ${times[i]!.toFixed(1)} ms`).join(', ');
  hooks.onProgress?.({ message: `measured: ${said}` });
  const first = times.findIndex((milliseconds) => milliseconds <= budget);
  const index = first < 0 ? times.length - 1 : first;
  return { index, milliseconds: times[index]! };
}
