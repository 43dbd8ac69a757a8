import { basename, join, resolve } from 'node:path';
import { FinetuneError } from '../errors.js';
import { loadRecipe } from '../recipe/load.js';
import { isThere, newRunPath } from '../run/directory.js';
import { listenForInterrupt } from './interrupt.js';
import { createProgress } from './progress.js';

export interface TrainCommand {
  readonly set?: readonly string[];
  /** The run directory. Default: a new one, named after the recipe and the time, in the recipe's `out`. */
  readonly out?: string | undefined;
  readonly engine?: string | undefined;
  readonly resume?: boolean;
  /** Epochs to train a finished run further. */
  readonly extend?: number | undefined;
  /** One step of everything and a forecast, instead of the run. */
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

/** `finetune recipe.yaml`: run the recipe. The last line on stdout is the run directory; all else goes to stderr. */
export async function train(path: string, command: TrainCommand): Promise<void> {
  const { set = [], out, engine, resume = false, extend, json = false } = command;
  const recipe = await loadRecipe(path, { set: engine === undefined ? set : [...set, `engine=${engine}`] });
  if (command.dryRun) {
    const { printForecast } = await import('./dryRun.js');
    return printForecast(recipe, { json });
  }
  // After the recipe: its errors need not wait for an engine to load.
  const { finetune } = await import('../finetune.js');
  const progress = createProgress();
  const say = (message: string) => progress.show({ message });
  const interrupt = listenForInterrupt(say, (exitCode) => {
    progress.close(); // the bar hides the cursor
    process.exit(exitCode);
  });
  const name = basename(path).replace(/\.ya?ml$/, '');
  const directory = out ?? newRunPath(recipe.out, name);
  const goOn = resumeCommand(path, resolve(directory), command);
  try {
    const { signal } = interrupt;
    const { metrics } = await finetune(recipe, { directory, resume, extend, signal, onProgress: progress.show });
    if (!metrics) say(`stopped; to go on: ${goOn}`);
    progress.close();
    if (json && metrics) console.log(JSON.stringify(metrics));
    console.log(resolve(directory));
  } catch (error) {
    if (await wasAtWork(directory, error)) say(`what was learned is saved; when that is put right: ${goOn}`);
    throw error;
  } finally {
    progress.close();
    interrupt.stop();
  }
}

/** Whether the run got as far as a checkpoint before the error. */
async function wasAtWork(directory: string, error: unknown): Promise<boolean> {
  const atWork = error instanceof FinetuneError && !/^E_(RUN|RESUME|EXTEND|CHECKPOINT|RECIPE)_/.test(error.code);
  return atWork && (await isThere(join(directory, 'checkpoints', 'last.safetensors')));
}

/** The command that continues the run with the same recipe, ready to paste; an extended one's recipe is in its directory. */
export function resumeCommand(path: string, directory: string, { set = [], engine, extend }: TrainCommand): string {
  if (extend !== undefined) {
    return ['finetune', join(directory, 'recipe.yaml'), '--out', directory].map(quote).join(' ') + ' --resume';
  }
  const settings = set.flatMap((setting) => ['--set', setting]);
  const words = [path, ...settings, ...(engine === undefined ? [] : ['--engine', engine]), '--out', directory];
  return ['finetune', ...words.map(quote), '--resume'].join(' ');
}

const quote = (word: string) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`);
