import { basename, join, resolve } from 'node:path';
import { makeFolder } from '../files/folders.js';
import { loadRecipe } from '../recipe/load.js';
import type { LrFindResult } from '../trials/lrFind.js';
import { watched } from './watched.js';

export interface TrialCommand {
  readonly set?: readonly string[];
  readonly steps?: number | undefined;
  readonly json?: boolean;
}

/** `finetune lr-find`: prints the suggested rate on stdout and writes the curve to lr-find.html in the folder `out`. */
export async function lrFind(
  path: string,
  { set = [], steps, json = false, out = '.' }: TrialCommand & { out?: string },
): Promise<void> {
  const recipe = await loadRecipe(path, { set });
  const [{ findLr }, { writeLrPage }] = await Promise.all([
    import('../trials/lrFind.js'),
    import('../report/lrPage.js'),
  ]);
  const folder = await makeFolder(out); // so that a folder that cannot be made is found before the steps
  const page = resolve(join(out, 'lr-find.html'));
  const find = async (): Promise<LrFindResult> => {
    const found = await watched((hooks) => findLr(recipe, { ...hooks, ...(steps !== undefined && { steps }) }));
    await writeLrPage(found, `Learning rate for ${basename(path)}`, page);
    return found;
  };
  const result = await find().finally(() => folder.removeIfEmpty());
  const { suggestion } = result;
  if (json) console.log(JSON.stringify(result));
  else if (suggestion) console.log(`--set train.lr.value=${suggestion.value.toPrecision(2)}`);
  else console.log('the loss fell at no rate: finetune overfit shows where to look');
  console.log(page);
}

/** `finetune overfit`: prints whether a few images could be learned by heart, and where to look if not → whether
 *  they could. */
export async function overfitCommand(
  path: string,
  { set = [], steps, json = false, n }: TrialCommand & { n?: number | undefined },
): Promise<boolean> {
  const recipe = await loadRecipe(path, { set });
  const { overfit } = await import('../trials/overfit.js');
  const options = { ...(n !== undefined && { n }), ...(steps !== undefined && { steps }) };
  const result = await watched((hooks) => overfit(recipe, { ...hooks, ...options }));
  const { images, first, last, learned, hints } = result;
  if (json) console.log(JSON.stringify(result));
  else {
    const verdict = learned ? 'learned' : 'NOT learned';
    console.log(`${images} images ${verdict} in ${result.steps} steps: loss ${first.toFixed(3)} → ${last.toFixed(3)}`);
    for (const hint of hints) console.log(`  ${hint}`);
  }
  return learned;
}
