import type { CAC } from 'cac';
import type { TrialCommand } from '../trials.js';
import { NegativeResult, UsageError, wholeNumber } from '../usage.js';
import { SET } from './shared.js';

const optional = (flag: string, value: number | undefined, least: number): number | undefined =>
  value === undefined ? undefined : wholeNumber(flag, value, least);

export function defineLrFind(program: CAC): void {
  program
    .command('lr-find <recipe.yaml>', 'suggest a learning rate from steps at rising rates')
    .option(...SET)
    .option('--steps <n>', 'number of steps (default: 100)')
    .option('--out <dir>', 'folder for lr-find.html (default: the current one)', { type: [String] })
    .option('--json', 'print the curve as one line of JSON')
    .action(async (recipe: string, { out, ...options }: TrialCommand & { out?: readonly string[] }) => {
      const { lrFind } = await import('../trials.js');
      const folder = out?.at(-1);
      const steps = optional('--steps', options.steps, 10);
      await lrFind(recipe, { ...options, steps, ...(folder !== undefined && { out: folder }) });
    });
}

export function defineOverfit(program: CAC): void {
  program
    .command(
      'overfit <recipe.yaml>',
      'check that the model can learn a few images by heart; if it cannot, say where to look for the bug',
    )
    .option('--n <images>', 'number of images (default: 10)')
    .option('--steps <n>', 'number of steps (default: 200)')
    .option(...SET)
    .option('--json', 'print the result as one line of JSON')
    .action(async (recipe: string, options: TrialCommand & { n?: number }) => {
      const { overfitCommand } = await import('../trials.js');
      const counts = { steps: optional('--steps', options.steps, 10), n: optional('--n', options.n, 1) };
      if (!(await overfitCommand(recipe, { ...options, ...counts }))) throw new NegativeResult();
    });
}

interface SweepFlags {
  readonly over?: readonly string[];
  readonly set?: readonly string[];
  readonly seeds: number;
  readonly random?: number;
  readonly parallel: number;
  readonly out?: string | number;
  readonly json?: boolean;
}

export function defineSweep(program: CAC): void {
  program
    .command('sweep <recipe.yaml>', 'run a recipe with every combination of some values, and compare the runs')
    .usage('sweep <recipe.yaml> --over key=value,value [--over …] [--seeds N] [--random N] [--parallel N] [--out DIR]')
    .option('--over <key=values>', 'values to try (repeatable): --over train.lr.value=0.01,0.03', { type: [String] })
    .option('--seeds <n>', 'number of runs of each setting, with different seeds', { default: 1 })
    .option('--random <n>', 'number of settings to sample from the grid (default: all)')
    .option('--parallel <n>', 'number of processes at a time', { default: 1 })
    .option(...SET)
    .option('--out <dir>', 'sweep directory; the same command with it continues a stopped sweep')
    .option('--json', 'print the comparison as one line of JSON')
    .action(async (recipe: string, options: SweepFlags) => {
      const { over = [], set = [], out, random, json = false } = options;
      if (over.length === 0) throw new UsageError('sweep needs --over key=value,value');
      const counts = {
        seeds: wholeNumber('--seeds', options.seeds, 1),
        parallel: wholeNumber('--parallel', options.parallel, 1),
        random: optional('--random', random, 1),
      };
      const { sweep } = await import('../sweep.js');
      const command = { over, set, ...counts, json, out: out === undefined ? out : String(out) };
      if (!(await sweep(recipe, command))) throw new NegativeResult();
    });
}
