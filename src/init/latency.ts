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
 *  come largest input first. */
export async function withinLatency(
  recipes: readonly { readonly side: number; readonly recipe: Recipe }[],
  budget: number,
  classes: number,
  hooks: Hooks,
): Promise<TimedSize> {
  await installForInference('auto', hooks);
  const backend = await openBackend();
  let timed: TimedSize | undefined;
  for (const { side, recipe } of recipes) {
    hooks.signal?.throwIfAborted();
    const task = taskOptions(recipe).createTask(classes);
    const size = task.evaluateSize ?? task.size;
    const { outputs } = task.build({ batch: 1, size, trainBatchNorm: () => false });
    const [[milliseconds]] = (await measureLatency([[Object.values(outputs)]], backend)) as [[number]];
    hooks.onProgress?.({ message: `an image of ${size.join(' × ')}: ${milliseconds.toFixed(1)} ms` });
    timed = { side, milliseconds };
    if (milliseconds <= budget) break;
  }
  return timed!;
}
