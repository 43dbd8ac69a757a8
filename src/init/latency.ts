import { openBackend } from '../engine/backend.js';
import { installForInference } from '../engine/install/installForInference.js';
import { measureLatency } from '../evaluate/latency.js';
import type { ProgressEvent } from '../progress.js';
import type { Recipe } from '../recipe/schema.js';
import { taskOptions } from '../run/taskOptions.js';

export interface TimedSize {
  readonly side: number;
  readonly milliseconds: number;
}

interface Hooks {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((event: ProgressEvent) => void) | undefined;
}

/** The first of the recipes that predicts one image within `budget` milliseconds on this machine, or the last one. They
 *  come largest input first, and are measured in turn, so that a slow moment of the machine affects all of them. */
export async function withinLatency(
  recipes: readonly { readonly side: number; readonly recipe: Recipe }[],
  budget: number,
  classes: number,
  hooks: Hooks,
): Promise<TimedSize> {
  await installForInference('auto', hooks);
  const targets = recipes.map(({ recipe }) => {
    const task = taskOptions(recipe).createTask(classes);
    const size = task.evaluateSize ?? task.size;
    return [Object.values(task.build({ batch: 1, size, trainBatchNorm: () => false }).outputs)];
  });
  hooks.signal?.throwIfAborted();
  const times = await measureLatency(targets, await openBackend());
  const timed = recipes.map(({ side }, i): TimedSize => ({ side, milliseconds: times[i]![0]! }));
  const said = timed.map(({ side, milliseconds }) => `${side} pixels ${milliseconds.toFixed(1)} ms`).join(', ');
  hooks.onProgress?.({ message: `measured: ${said}` });
  return timed.find(({ milliseconds }) => milliseconds <= budget) ?? timed.at(-1)!;
}
