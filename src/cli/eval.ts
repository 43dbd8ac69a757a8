import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { loadRecipe } from '../recipe/load.js';
import { taskTable } from './scoreTable.js';
import { watched } from './watched.js';

export interface EvalCommand {
  readonly weights?: string | undefined;
  readonly set?: readonly string[];
  readonly json?: boolean;
}

/** `finetune eval`: score a finished run's best checkpoint, or a recipe's starting weights. */
export async function evaluate(path: string, { weights, set = [], json = false }: EvalCommand): Promise<void> {
  const isRun = await stat(path).then(
    (entry) => entry.isDirectory(),
    () => false,
  );
  const file = isRun ? join(path, 'recipe.yaml') : path;
  const best = isRun ? `file:${join(path, 'checkpoints', 'best.safetensors')}` : undefined;
  const recipe = await loadRecipe(file, { set });
  const { evaluateRecipe } = await import('../run/evaluateRecipe.js');
  const { metric, loss, imagesPerSecond } = await watched((hooks) =>
    evaluateRecipe(recipe, { weights: weights ?? best, ...(isRun && { dividedBy: path }), ...hooks }),
  );
  if (json) console.log(JSON.stringify(metric));
  else console.log(`${taskTable(metric)}\nloss ${loss.toFixed(4)}, ${imagesPerSecond.toFixed(1)} images/s`);
}
