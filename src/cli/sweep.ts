import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { basename, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import pLimit from 'p-limit';
import { maskSecrets } from '../maskSecrets.js';
import { compareRuns, type Comparison } from '../trials/compareRuns.js';
import { loadRecipe } from '../recipe/load.js';
import { newRunPath } from '../run/directory.js';
import { memberState, openSweep, planSweep, type SweepOptions } from '../trials/sweep.js';
import { listenForInterrupt, Stopped } from './interrupt.js';
import { leave } from './leave.js';
import { Reported } from './usage.js';

export interface SweepCommand extends SweepOptions {
  readonly set: readonly string[];
  readonly out?: string | undefined;
  /** Processes at a time. */
  readonly parallel: number;
  readonly json: boolean;
}

/** `finetune sweep`: runs the recipe with every combination of values, each in its own process, and compares the
 *  runs. Returns false if a run failed. */
export async function sweep(path: string, command: SweepCommand): Promise<boolean> {
  const { set, out, parallel, json, over, seeds, random } = command;
  const recipe = await loadRecipe(path, { set });
  const directory = resolve(out ?? newRunPath(recipe.out, `sweep-${basename(path).replace(/\.ya?ml$/, '')}`));
  const members = planSweep(directory, recipe.seed, { over, seeds, random });
  // So that every error in the recipes is found before the first run.
  for (const member of members) await loadRecipe(path, { set: [...set, ...member.set] });
  await openSweep(directory, recipe);
  const say = (line: string): void => console.error(maskSecrets(line)); // a setting may be an address with a token
  say(`${members.length} runs in ${directory}`);

  const children = new Set<ChildProcess>();
  const tell = (signal: NodeJS.Signals): void => children.forEach((child) => void child.kill(signal));
  const { signal, stop } = listenForInterrupt(
    () => {
      say('stopping the runs, and saving (press Ctrl-C again to kill them)');
      tell('SIGTERM');
    },
    (exitCode) => {
      tell('SIGKILL');
      leave(exitCode);
    },
  );
  const isStopped = (): boolean => signal.aborted;
  const limit = pLimit(parallel);
  const failures = new Map<string, string>(); // printed text → the first run that failed with it
  try {
    const states = members.map((member, i) =>
      limit(async () => {
        const place = `${i + 1}/${members.length}`;
        const state = await memberState(member);
        if (state === 'done' || isStopped()) return state;
        say(`${place}  ${member.set.join(' ')}${state === 'begun' ? ', resumed' : ''}`);
        const settings = [...set, ...member.set].flatMap((setting) => ['--set', setting]);
        const words = [path, ...settings, '--out', member.directory, ...(state === 'begun' ? ['--resume'] : [])];
        const failure = await runChild(words, children);
        if (isStopped()) return memberState(member);
        const before = failures.get(failure ?? '');
        if (failure !== undefined)
          say(`${place}  failed${before === undefined ? `:\n${failure}` : `, as ${before} did`}`);
        if (failure !== undefined && before === undefined) failures.set(failure, place);
        return memberState(member);
      }),
    );
    const done = (await Promise.all(states)).filter((state) => state === 'done').length;
    if (done < members.length) {
      say(`${done} of ${members.length} runs are done; to continue, repeat the command with --out ${directory}`);
      if (signal.reason instanceof Stopped) throw new Reported(signal.reason.exitCode);
      return false;
    }
  } finally {
    stop();
  }
  const comparison = await compareRuns(members.map((member) => member.directory));
  console.log(json ? JSON.stringify(comparison) : comparisonTable(comparison));
  console.log(directory);
  return true;
}

/** Runs the program in a process of its own. Returns the end of what it printed if it failed. Its group of processes is
 *  its own, too, so that Ctrl-C in a terminal reaches it once: through this process. */
async function runChild(words: readonly string[], children: Set<ChildProcess>): Promise<string | undefined> {
  const program = fileURLToPath(new URL('main.js', import.meta.url));
  const child = spawn(process.execPath, [program, ...words], { stdio: ['ignore', 'ignore', 'pipe'], detached: true });
  children.add(child);
  let tail = '';
  child.stderr.on('data', (text: Buffer) => (tail = (tail + text.toString()).slice(-2000)));
  const [code] = (await once(child, 'exit')) as [number | null];
  children.delete(child);
  return code === 0 ? undefined : tail;
}

/** All runs are scored on the same images, so no interval covers the uncertainty that comes from their number. */
const NOTE =
  'The intervals cover the differences between seeds, not those that other training or scoring images would make.';

/** A table with a row for each setting, best first, and a note on the intervals. */
export function comparisonTable({ score, note, rows }: Comparison): string {
  const number = (value: number): string => value.toFixed(4);
  const range = (interval: readonly [number, number] | undefined): string =>
    interval ? `[${interval.map(number).join(', ')}]` : '';
  const cells = rows.map(({ name, seeds, mean, interval, verdict, behind, behindInterval }) => [
    name,
    String(seeds),
    number(mean),
    range(interval),
    verdict === 'best'
      ? 'best'
      : verdict === 'one seed'
        ? `${number(behind)} behind; one seed cannot tell this from chance: use --seeds 3`
        : verdict === 'worse'
          ? `worse by ${number(behind)} ${range(behindInterval)}`
          : `not distinguishable from the best: ${number(behind)} ${range(behindInterval)}`,
  ]);
  const table = [['setting', 'seeds', score, '95 % over seeds', 'against the best'], ...cells];
  const widths = table[0]!.map((_, column) => Math.max(...table.map((row) => row[column]!.length)));
  const lines = table.map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i]!))
      .join('  ')
      .trimEnd(),
  );
  return [...lines, '', NOTE, ...(note === undefined ? [] : [note])].join('\n');
}
