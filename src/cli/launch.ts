import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { basename, resolve } from 'node:path';
import { maskSecrets } from '../maskSecrets.js';
import { loadRecipe } from '../recipe/load.js';
import { newRunPath } from '../run/directory.js';
import { isFolder } from './init.js';
import { listenForInterrupt, Stopped } from './interrupt.js';
import { leave } from './leave.js';
import { localMachines } from './machines/local.js';
import type { Known, Machines } from './machines/machines.js';
import { sshMachines, type SshOptions } from './machines/ssh.js';
import { quote } from './quote.js';
import { LOST, Reported, UsageError } from './usage.js';

export interface LaunchCommand {
  /** Processes on this machine, or the hosts on which one process each is started. */
  readonly on: number | SshOptions;
  readonly set: readonly string[];
  readonly out?: string | undefined;
  readonly threads?: string | undefined;
  /** Flags that every worker gets where there are several. */
  readonly ofWorkers: readonly string[];
  readonly resume?: boolean;
  readonly json?: boolean;
  /** How often a run that lost a worker is resumed. */
  readonly maxRestarts: number;
  /** Resume without the workers that were lost. */
  readonly elastic: boolean;
}

/** Seconds that the other workers have to end by themselves after one has failed. */
const GRACE = 15;

/** `finetune launch`: runs a recipe with several processes, on this machine or on others, and resumes the run if one of
 *  them is lost. The first one prints what `finetune recipe.yaml` prints. Throws a `Reported` with its exit code if the
 *  run failed. */
export async function launch(path: string, command: LaunchCommand): Promise<void> {
  const { on, set, out, maxRestarts, elastic } = command;
  if (await isFolder(path)) throw new UsageError('launch takes a recipe: finetune init makes one for a folder');
  const recipe = await loadRecipe(path, { set });
  if (typeof on !== 'number' && set.some((setting) => maskSecrets(setting) !== setting))
    throw new UsageError(
      'a setting has a secret, which the hosts would show in their lists of processes: download the file, and name it in the recipe',
    );
  const machines = typeof on === 'number' ? localMachines(on) : await sshMachines(on);
  const directory = out ?? newRunPath(recipe.out, basename(path).replace(/\.ya?ml$/, ''));
  const run = { ...command, path, machines, directory: typeof on === 'number' ? resolve(directory) : directory };
  const known = { secret: randomBytes(16).toString('hex'), again: maskSecrets(resumeLaunch(run)) };
  const children: ChildProcess[] = [];
  const { signal, stop } = listenForInterrupt(
    () => {
      if (children[0]) machines.stop(children[0]);
    }, // prettier-ignore -- it saves and ends, and the others end with it
    (exitCode) => {
      for (const child of children) child.kill('SIGKILL');
      leave(exitCode);
    },
  );
  let places = Array.from({ length: machines.count }, (_, place) => place);
  try {
    for (let restarts = 0; ; restarts++) {
      const commands = await wordsOf({ ...run, resume: restarts > 0 || command.resume === true }, places);
      const ends = await runWorkers(children, commands, { machines, places, known, signal });
      if (ends.every(({ code }) => code === 0)) return;
      if (signal.reason instanceof Stopped) throw new Reported(signal.reason.exitCode);
      const isHopeless = ends.some(({ code }) => HOPELESS.includes(code));
      if (isHopeless || restarts === maxRestarts || !(await machines.isBegun(run.directory)))
        throw new Reported(ends[0]!.code > 0 ? ends[0]!.code : 1);
      if (elastic) places = remaining(places, ends);
      if (machines.firstKeepsRun && places[0] !== 0) {
        console.error(
          `${machines.nameOf(0)!} was lost, which has the run directory: the others cannot resume without it`,
        );
        throw new Reported(1);
      }
      const fewer = elastic ? ` with ${places.length} of ${machines.count} processes` : '';
      console.error(
        `a worker was lost; resuming from the last checkpoint${fewer}, restart ${restarts + 1} of ${maxRestarts}`,
      );
    }
  } finally {
    stop();
  }
}

/** Exit codes after which another start would end the same way: wrong usage, and a command that is not there. */
const HOPELESS: readonly number[] = [2, 126, 127];

interface LaunchedRun extends LaunchCommand {
  /** The recipe's file. */
  readonly path: string;
  readonly directory: string;
  readonly machines: Machines;
}

/** The command that continues the run, ready to paste into a shell. */
function resumeLaunch({ path, directory, machines, set, threads, ofWorkers }: LaunchedRun): string {
  const settings = set.flatMap((setting) => ['--set', setting]);
  const own = [...(threads === undefined ? [] : ['--threads', threads]), ...ofWorkers];
  const words = ['launch', path, ...machines.asked, ...settings, '--out', directory, ...own, '--resume'];
  return ['finetune', ...words.map(quote)].join(' ');
}

/** The command line of the worker in each place. */
async function wordsOf(
  { path, directory, machines, on, set, threads, ofWorkers, resume, json }: LaunchedRun,
  places: readonly number[],
): Promise<string[][]> {
  // Fewer processes keep their threads, on which rounding depends.
  const share = typeof on === 'number' ? String(Math.max(1, Math.floor(availableParallelism() / on))) : undefined;
  const own = threads ?? share;
  const common = [
    path,
    ...set.flatMap((setting) => ['--set', setting]),
    '--out',
    directory,
    ...(own === undefined ? [] : ['--threads', own]),
    ...(resume ? ['--resume'] : []),
  ];
  if (places.length === 1) return [[...common, ...(json ? ['--json'] : [])]];
  const addresses = await machines.addressesOf(places);
  return places.map((_, rank) => [
    ...common,
    ...['--workers', addresses.join(), '--rank', String(rank), ...ofWorkers],
    ...(json && rank === 0 ? ['--json'] : []),
  ]);
}

/** How a worker ended. */
interface End {
  /** What it printed of that; undefined for the first one, which prints by itself. */
  readonly told?: string | undefined;
  /** Its exit code; -1 for one that a signal ended. */
  readonly code: number;
  /** Whether it went on although another one had failed. */
  readonly wasKilled: boolean;
}

/** The places whose workers were not lost. Lost are those that failed by themselves; where all others only missed one that
 *  did not end, that one. If all were lost, none of them is to blame. */
function remaining(places: readonly number[], ends: readonly End[]): number[] {
  const failed = ends.map(({ code, wasKilled }) => !wasKilled && code !== 0 && code !== LOST);
  const lost = failed.includes(true) ? failed : ends.map(({ wasKilled }) => wasKilled);
  const left = places.filter((_, rank) => !lost[rank]);
  return left.length > 0 ? left : [...places];
}

interface Running {
  readonly machines: Machines;
  readonly places: readonly number[];
  readonly known: Known;
  readonly signal: AbortSignal;
}

/** Runs the workers until all of them have ended. Those that go on although another one has failed are killed. */
async function runWorkers(
  children: ChildProcess[],
  commands: readonly (readonly string[])[],
  { machines, places, known, signal }: Running,
): Promise<End[]> {
  let grace: NodeJS.Timeout | undefined;
  const killed = new Set<ChildProcess>();
  const killAll = (): void => {
    for (const child of children.filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null)) {
      killed.add(child);
      machines.kill(child);
    }
  };
  const started = commands.map((words, rank) => machines.start(places[rank]!, words, known, rank === 0));
  children.splice(0, Infinity, ...started);
  const ends = children.map(async (child, rank): Promise<End> => {
    let tail = '';
    child.stderr?.on('data', (text: Buffer) => (tail = (tail + text.toString()).slice(-2000)));
    const [code, ended] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
    const wasKilled = killed.has(child);
    if (code === 0) return { code, wasKilled };
    grace ??= setTimeout(killAll, 1000 * GRACE);
    const machine = machines.nameOf(places[rank]!);
    const name = `worker ${rank} of ${commands.length}${machine === undefined ? '' : ` (${machine})`}`;
    const told = rank > 0 && code !== LOST ? describeEnd(name, ended ?? `exit code ${code}`, tail) : undefined;
    return { code: code ?? -1, wasKilled, told };
  });
  const found = await Promise.all(ends);
  clearTimeout(grace);
  for (const [rank, { code, told }] of found.entries()) {
    // On one machine all of them find the same mistake in a recipe, which the first one has printed.
    const isKnown = machines.nameOf(places[rank]!) === undefined && code > 0 && code === found[0]!.code;
    if (told !== undefined && !isKnown && !signal.aborted) console.error(told);
  }
  return found;
}

function describeEnd(name: string, how: string, tail: string): string {
  const lines = tail.trimEnd().split('\n').slice(-4);
  return `${name} has ended with ${how}${tail === '' ? '' : `:\n${lines.map((line) => `  ${line}`).join('\n')}`}`;
}
