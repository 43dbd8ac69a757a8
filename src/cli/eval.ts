import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { CocoScore } from '../evaluate/coco.js';
import { loadRecipe } from '../recipe/load.js';
import { createProgress } from './progress.js';

export interface EvalCommand {
  readonly weights?: string | undefined;
  readonly set?: readonly string[];
  readonly engine?: string | undefined;
  readonly json?: boolean;
}

/** `finetune eval`: score a finished run's best checkpoint, or a recipe's starting weights. */
export async function evaluate(path: string, { weights, set = [], engine, json = false }: EvalCommand): Promise<void> {
  const isRun = await stat(path).then((entry) => entry.isDirectory(), () => false); // prettier-ignore
  const file = isRun ? join(path, 'recipe.yaml') : path;
  const best = isRun ? `file:${join(path, 'checkpoints', 'best.safetensors')}` : undefined;
  const recipe = await loadRecipe(file, { set: engine === undefined ? set : [...set, `engine=${engine}`] });
  const { evaluateRecipe } = await import('../evaluateRecipe.js');
  const progress = createProgress();
  try {
    const { metric, loss, imagesPerSecond } = await evaluateRecipe(recipe, {
      weights: weights ?? best,
      onProgress: progress.show,
    });
    progress.close();
    if (json) console.log(JSON.stringify(metric));
    else console.log(`${table(metric)}\nloss ${loss.toFixed(4)}, ${imagesPerSecond.toFixed(1)} images/s`);
  } finally {
    progress.close();
  }
}

const shown = (value: number): string => (value < 0 ? '    –' : value.toFixed(3));

function table({ perCategory, ...score }: CocoScore): string {
  const names = ['AP', 'AP50', 'AP75', 'APs', 'APm', 'APl', 'AR1', 'AR10', 'AR100'] as const;
  const rows = [...perCategory].map(({ name, AP, AP50 }) => `  ${name.padEnd(24)} ${shown(AP)}  ${shown(AP50)}`);
  return [
    names.map((name) => name.padStart(6)).join(' '),
    names.map((name) => shown(score[name]).padStart(6)).join(' '),
    `  ${'category'.padEnd(24)}    AP   AP50`,
    ...rows,
  ].join('\n');
}
