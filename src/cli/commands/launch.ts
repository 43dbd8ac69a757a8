import type { CAC } from 'cac';
import { UsageError, wholeNumber } from '../usage.js';
import { ENGINE, SET, settingsOf, THREADS, type EngineFlags } from './shared.js';

interface LaunchFlags extends EngineFlags {
  readonly local?: number;
  readonly out?: string | number;
  readonly resume?: boolean;
  readonly json?: boolean;
  readonly maxRestarts: number;
}

export function defineLaunch(program: CAC): void {
  program
    .command('launch <recipe.yaml>', 'run a recipe with several processes that train one model together')
    .usage('launch <recipe.yaml> --local N [--max-restarts N] [--set key=value …] [--out DIR] [--resume] [--json]')
    .option('--local <n>', 'number of processes on this machine')
    .option('--max-restarts <n>', 'how often to resume the run after a process was lost', { default: 0 })
    .option(...SET)
    .option('--out <dir>', 'run directory (default: a new one in the folder that the recipe names as out)')
    .option(...ENGINE)
    .option(THREADS[0], 'threads of each process (default: its share of the processors)')
    .option('--resume', 'continue the stopped run in --out')
    .option('--json', 'print the metrics as one line of JSON before the run directory')
    .action(async (recipe: string, { out, local, maxRestarts, threads, ...options }: LaunchFlags) => {
      if (options.resume && out === undefined)
        throw new UsageError('--resume needs --out, the directory of the run to continue');
      const { launch } = await import('../launch.js');
      await launch(recipe, {
        ...options,
        local: wholeNumber('--local', local, 1),
        maxRestarts: wholeNumber('--max-restarts', maxRestarts, 0),
        set: settingsOf(options),
        threads: threads === undefined ? undefined : String(threads),
        out: out === undefined ? undefined : String(out),
      });
    });
}
