import type { CAC } from 'cac';
import { UsageError, wholeNumber } from '../usage.js';
import { ENGINE, SET, settingsOf, THREADS, type EngineFlags } from './shared.js';
import { WORKERS_FLAGS } from './workers.js';

interface LaunchFlags extends EngineFlags {
  readonly local?: number;
  readonly ssh?: string | number;
  readonly remoteFolder?: string | number;
  readonly remoteCommand?: string | number;
  readonly out?: string | number;
  readonly resume?: boolean;
  readonly json?: boolean;
  readonly maxRestarts: number;
  readonly elastic?: boolean;
  readonly trustNetwork?: boolean;
  readonly wait?: number;
  readonly silence?: number;
}

export function defineLaunch(program: CAC): void {
  const command = program
    .command('launch <recipe.yaml>', 'run a recipe with several processes that train one model together')
    .usage(
      'launch <recipe.yaml> --local N | --ssh HOSTS.TXT [--max-restarts N [--elastic]] [--set key=value …] [--out DIR] [--resume] [--json]',
    )
    .option('--local <n>', 'number of processes on this machine')
    .option(
      '--ssh <hosts.txt>',
      'start a process on each host of a file by ssh: a line is a destination of ssh, and if needed host:port of its worker',
    )
    .option('--remote-folder <dir>', 'with --ssh: the folder of each host to work in (default: this one)')
    .option('--remote-command <words>', 'with --ssh: the command that is finetune on each host (default: npx finetune)')
    .option('--max-restarts <n>', 'how often to resume the run after a process was lost', { default: 0 })
    .option('--elastic', 'with --max-restarts: resume without the processes that were lost')
    .option(...SET)
    .option('--out <dir>', 'run directory (default: a new one in the folder that the recipe names as out)')
    .option(...ENGINE)
    .option(THREADS[0], 'threads of each process (default: its share of the processors)')
    .option('--resume', 'continue the stopped run in --out')
    .option('--json', 'print the metrics as one line of JSON before the run directory');
  for (const [flag, description] of WORKERS_FLAGS.slice(2)) command.option(flag, description);
  command.action(async (recipe: string, { out, threads, ...options }: LaunchFlags) => {
    if (options.resume && out === undefined)
      throw new UsageError('--resume needs --out, the directory of the run to continue');
    const maxRestarts = wholeNumber('--max-restarts', options.maxRestarts, 0);
    if (options.elastic && maxRestarts === 0) throw new UsageError('--elastic needs --max-restarts');
    const { launch } = await import('../launch.js');
    await launch(recipe, {
      on: placesOf(options),
      ofWorkers: workersWords(options),
      maxRestarts,
      elastic: options.elastic === true,
      resume: options.resume === true,
      json: options.json === true,
      set: settingsOf(options),
      threads: threads === undefined ? undefined : String(threads),
      out: out === undefined ? undefined : String(out),
    });
  });
}

/** Where the processes are started: so many here, or one on each host of a file. */
function placesOf({ local, ssh, remoteFolder, remoteCommand }: LaunchFlags) {
  if ((local === undefined) === (ssh === undefined)) throw new UsageError('launch needs --local N or --ssh hosts.txt');
  if (ssh === undefined) {
    if (remoteFolder !== undefined || remoteCommand !== undefined)
      throw new UsageError('--remote-folder and --remote-command need --ssh');
    return wholeNumber('--local', local, 1);
  }
  return {
    file: String(ssh),
    folder: String(remoteFolder ?? process.cwd()),
    program: String(remoteCommand ?? 'npx finetune'),
  };
}

/** The flags that are passed on to every worker. */
const workersWords = ({ trustNetwork, wait, silence }: LaunchFlags): string[] => [
  ...(trustNetwork ? ['--trust-network'] : []),
  ...(wait === undefined ? [] : ['--wait', String(wholeNumber('--wait', wait, 1))]),
  ...(silence === undefined ? [] : ['--silence', String(wholeNumber('--silence', silence, 1))]),
];
