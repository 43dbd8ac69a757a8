import { existsSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { FinetuneError } from '../errors.js';
import type { FinetuneOptions } from '../finetune.js';
import { maskSecrets } from '../maskSecrets.js';
import { writeAtomically } from '../files/writeAtomically.js';
import { loadRecipe, parseRecipe } from '../recipe/load.js';
import type { Recipe } from '../recipe/schema.js';
import { FINISHED, isThere, newRunPath } from '../run/directory.js';
import { formatAddress } from '../workers/addresses.js';
import { collectingRarely } from './collectingRarely.js';
import { LAUNCHED, RESUME } from './commands/workers.js';
import { endWithInput } from './endWithInput.js';
import { quote } from './quote.js';
import { isFolder, lookAt, recipeFileFor, type InitCommand } from './init.js';
import { Stopped } from './interrupt.js';
import { Reported, UsageError } from './usage.js';
import { watched } from './watched.js';

export interface TrainCommand extends Omit<InitCommand, 'out' | 'json'> {
  readonly set?: readonly string[];
  /** The run directory. Default: a new one, named after the recipe and the time, in the recipe's `out`. */
  readonly out?: string | undefined;
  readonly resume?: boolean;
  /** Epochs to add to a finished run. */
  readonly extend?: number | undefined;
  /** Stop after so many epochs in all, with everything saved. */
  readonly until?: number | undefined;
  /** Do one step of everything and forecast the run, instead of running it. */
  readonly dryRun?: boolean;
  readonly json?: boolean;
  /** Train together with other processes. */
  readonly workers?: FinetuneOptions['workers'];
}

/** `finetune recipe.yaml`: runs the recipe. The last line on stdout is the run directory; progress and errors go to
 *  stderr. */
export async function train(path: string, command: TrainCommand): Promise<void> {
  const { out, resume = false, extend, until, json = false, workers } = command;
  if (process.env[LAUNCHED]) endWithInput();
  if (workers && (await isFolder(path)))
    throw new UsageError('--workers takes a recipe: finetune init makes one for a folder');
  const isFirst = (workers?.rank ?? 0) === 0;
  const { recipe, reasons } = await recipeOf(path, command);
  if (command.dryRun) {
    const { printForecast } = await import('./dryRun.js');
    return printForecast(recipe, { json });
  }
  // Lazily, so that errors of the recipe need not wait for an engine to load.
  const { finetune } = await import('../finetune.js');
  const directory = out ?? newRunPath(recipe.out, basename(path).replace(/\.ya?ml$/, ''));
  const again = () => process.env[RESUME] ?? maskSecrets(resumeCommand(path, resolve(directory), command));
  try {
    const { metrics } = await watched(async (hooks) => {
      const options = { directory, resume, extend, until, workers, ...hooks };
      const result = await collectingRarely(() => finetune(recipe, options));
      if (reasons !== undefined && isFirst) await writeAtomically(join(directory, REASONS), reasons);
      if (!result.metrics) hooks.signal.throwIfAborted();
      return result;
    }, 'stopping after this step, and saving');
    if (!metrics && isFirst) console.error(`epoch ${until} is done; to resume, run: ${again()}`);
    if (json && metrics) console.log(JSON.stringify(metrics));
    if (isFirst) console.log(resolve(directory));
  } catch (error) {
    if (!isFirst) throw error; // the first worker tells how to resume
    if (error instanceof Stopped) {
      console.error(`stopped; to resume, run: ${again()}`);
      console.log(resolve(directory));
      throw new Reported(error.exitCode);
    }
    if (await hasProgress(directory, error)) console.error(`Progress is saved. Fix the error, then run: ${again()}`);
    throw error;
  }
}

/** The recipe that was made for a folder, with its reasons, in the directory of its run. */
const REASONS = 'init.yaml';

/** The recipe in a file, or one that is made for a folder of images. A run that is continued has its recipe in its
 *  directory. */
async function recipeOf(
  path: string,
  { set = [], out, resume = false, extend, task, layout, latency, time }: TrainCommand,
): Promise<{ readonly recipe: Recipe; readonly reasons?: string }> {
  if (!(await isFolder(path))) return { recipe: await loadRecipe(path, { set }) };
  if (await isThere(join(path, 'recipe.yaml'))) {
    throw new UsageError(`${path} is a run directory; its recipe is ${join(path, 'recipe.yaml')}`);
  }
  const begun = out === undefined ? undefined : join(out, 'recipe.yaml');
  if (begun !== undefined && (resume || extend !== undefined) && (await isThere(begun)))
    return { recipe: await loadRecipe(begun, { set }) };
  const file = recipeFileFor(path);
  const { text } = await lookAt(path, { file, task, layout, latency, time, set });
  return { recipe: await parseRecipe(text, file, { set }), reasons: text };
}

/** Whether the run had saved a checkpoint before the error, which `--resume` can continue. */
async function hasProgress(directory: string, error: unknown): Promise<boolean> {
  const isOfRun = error instanceof FinetuneError && !/^E_(RUN|RESUME|EXTEND|CHECKPOINT|RECIPE)_/.test(error.code);
  return isOfRun && (await isThere(join(directory, 'checkpoints', 'last.safetensors')));
}

/** The command that continues the run, ready to paste into a shell. An extended run continues with the recipe in its
 *  directory; one that was stopped before its extension began, with the same command. */
export function resumeCommand(path: string, directory: string, { set = [], extend, workers }: TrainCommand): string {
  if (extend !== undefined && !existsSync(join(directory, FINISHED))) {
    return ['finetune', join(directory, 'recipe.yaml'), '--out', directory].map(quote).join(' ') + ' --resume';
  }
  const settings = set.flatMap((setting) => ['--set', setting]);
  const words = [path, ...settings, '--out', directory, ...(workers ? workersWords(workers) : [])];
  return ['finetune', ...words.map(quote), extend === undefined ? '--resume' : `--extend ${extend}`].join(' ');
}

const workersWords = ({ addresses, rank, trustNetwork }: NonNullable<TrainCommand['workers']>): string[] => [
  '--workers',
  addresses.map(formatAddress).join(),
  '--rank',
  String(rank),
  ...(trustNetwork ? ['--trust-network'] : []),
];
