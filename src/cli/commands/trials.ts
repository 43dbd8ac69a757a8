import type { CAC } from 'cac';
import type { TrialCommand } from '../trials.js';
import { NegativeResult, oneOf, UsageError, wholeNumber } from '../usage.js';
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
  readonly parallel?: number;
  readonly on: string;
  readonly ray?: string;
  readonly cpus?: number;
  readonly stop?: string;
  readonly out?: string | number;
  readonly json?: boolean;
}

export function defineSweep(program: CAC): void {
  program
    .command('sweep <recipe.yaml>', 'run a recipe with every combination of some values, and compare the runs')
    .usage(
      'sweep <recipe.yaml> --over key=value,value [--over …] [--seeds N] [--random N] [--stop asha] [--on local|slurm|ray] [--parallel N] [--out DIR]',
    )
    .option('--over <key=values>', 'values to try (repeatable): --over train.lr.value=0.01,0.03', { type: [String] })
    .option('--seeds <n>', 'number of runs of each setting, with different seeds', { default: 1 })
    .option('--random <n>', 'number of settings to sample from the grid (default: all)')
    .option('--stop <asha>', 'train every setting for a ninth of the epochs, and only the best ones further')
    .option('--on <where>', 'where the runs are computed: local, slurm (as job arrays) or ray', { default: 'local' })
    .option('--ray <url>', "address of Ray's dashboard (default: RAY_API_SERVER_ADDRESS, or http://127.0.0.1:8265)")
    .option('--cpus <n>', 'CPUs that slurm or ray gives each run (default: 1)')
    .option('--parallel <n>', 'number of runs at a time (default: 1, or on slurm and ray all)')
    .option(...SET)
    .option('--out <dir>', 'sweep directory; the same command with it continues a stopped sweep')
    .option('--json', 'print the comparison as one line of JSON')
    .action(async (recipe: string, options: SweepFlags) => {
      const { over = [], set = [], out, random, json = false } = options;
      if (over.length === 0) throw new UsageError('sweep needs --over key=value,value');
      const on = oneOf('--on', options.on, ['local', 'slurm', 'ray'] as const);
      const stop = options.stop === undefined ? undefined : oneOf('--stop', options.stop, ['asha'] as const);
      const counts = {
        seeds: wholeNumber('--seeds', options.seeds, 1),
        parallel: optional('--parallel', options.parallel, 1) ?? (on === 'local' ? 1 : Infinity),
        cpus: optional('--cpus', options.cpus, 1) ?? 1,
        random: optional('--random', random, 1),
      };
      if (stop && counts.seeds > 1)
        throw new UsageError('--stop tells settings apart by one run of each: use --seeds for the best of them later');
      if (on === 'local' && options.cpus !== undefined) throw new UsageError('--cpus needs --on slurm or --on ray');
      if (on !== 'ray' && options.ray !== undefined) throw new UsageError('--ray needs --on ray');
      const ray = options.ray ?? process.env['RAY_API_SERVER_ADDRESS'] ?? 'http://127.0.0.1:8265';
      const { sweep } = await import('../sweep.js');
      const command = { over, set, ...counts, on, ray, stop, json, out: out === undefined ? out : String(out) };
      if (!(await sweep(recipe, command))) throw new NegativeResult();
    });
}
