import { basename } from 'node:path';
import { loadRecipe } from '../recipe/load.js';
import { listenForInterrupt } from './interrupt.js';
import { createProgress } from './progress.js';

export interface TrainCommand {
  readonly set?: readonly string[];
  /** The run directory. Default: a new one, named after the recipe and the time, in the recipe's `out`. */
  readonly out?: string | undefined;
  readonly engine?: string | undefined;
  readonly resume?: boolean;
  readonly json?: boolean;
}

/** `finetune recipe.yaml`: run the recipe. The last line on stdout is the run directory; all else goes to stderr. */
export async function train(path: string, command: TrainCommand): Promise<void> {
  const { set = [], out, engine, resume = false, json = false } = command;
  const recipe = await loadRecipe(path, { set: engine === undefined ? set : [...set, `engine=${engine}`] });
  // After the recipe: its errors need not wait for an engine to load.
  const [{ finetune }, { newRunPath }] = await Promise.all([import('../finetune.js'), import('../run.js')]);
  const progress = createProgress();
  const say = (message: string) => progress.show({ message });
  const interrupt = listenForInterrupt(say, (exitCode) => {
    progress.close(); // the bar hides the cursor
    process.exit(exitCode);
  });
  try {
    const { signal } = interrupt;
    const name = basename(path).replace(/\.ya?ml$/, '');
    const options = { directory: out ?? newRunPath(recipe.out, name), resume, signal, onProgress: progress.show };
    const { directory, metrics } = await finetune(recipe, options);
    if (!metrics) say(`stopped; to go on: ${resumeCommand(path, directory, command)}`);
    progress.close();
    if (json && metrics) console.log(JSON.stringify(metrics));
    console.log(directory);
  } finally {
    progress.close();
    interrupt.stop();
  }
}

/** The command that continues the run with the same recipe, ready to paste. */
export function resumeCommand(path: string, directory: string, { set = [], engine }: TrainCommand): string {
  const settings = set.flatMap((setting) => ['--set', setting]);
  const words = [path, ...settings, ...(engine === undefined ? [] : ['--engine', engine]), '--out', directory];
  return ['finetune', ...words.map(quote), '--resume'].join(' ');
}

const quote = (word: string) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`);
