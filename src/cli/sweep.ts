import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { basename, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import pLimit from 'p-limit';
import { compareRuns, type Comparison } from '../trials/compareRuns.js';
import { loadRecipe } from '../recipe/load.js';
import { newRunPath } from '../run/directory.js';
import { memberState, openSweep, planSweep, type Member, type SweepOptions } from '../trials/sweep.js';
import { listenForInterrupt } from './interrupt.js';

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
  const say = (line: string): void => console.error(line);
  say(`${members.length} runs in ${directory}`);

  const interrupt = listenForInterrupt(
    () => say('stopping the runs'),
    (exitCode) => process.exit(exitCode),
  );
  const limit = pLimit(parallel);
  const failures = new Map<string, string>(); // printed text → the first run that failed with it
  try {
    const states = members.map((member, i) =>
      limit(async () => {
        const place = `${i + 1}/${members.length}`;
        const failure = await runMember(path, set, member, place, interrupt.signal, say);
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
      return interrupt.signal.aborted;
    }
  } finally {
    interrupt.stop();
  }
  const comparison = await compareRuns(members.map((member) => member.directory));
  console.log(json ? JSON.stringify(comparison) : comparisonTable(comparison));
  console.log(directory);
  return true;
}

/** Runs a member that is not finished. Returns the end of what it printed if it failed. */
async function runMember(
  path: string,
  set: readonly string[],
  member: Member,
  place: string,
  signal: AbortSignal,
  say: (line: string) => void,
): Promise<string | undefined> {
  const state = await memberState(member);
  if (state === 'done' || signal.aborted) return undefined;
  say(`${place}  ${member.set.join(' ')}${state === 'begun' ? ', resumed' : ''}`);
  const settings = [...set, ...member.set].flatMap((setting) => ['--set', setting]);
  const resume = state === 'begun' ? ['--resume'] : [];
  const program = fileURLToPath(new URL('main.js', import.meta.url));
  const words = [program, path, ...settings, '--out', member.directory, ...resume];
  const child = spawn(process.execPath, words, { stdio: ['ignore', 'ignore', 'pipe'] });
  const stop = (): void => void child.kill('SIGTERM');
  signal.addEventListener('abort', stop);
  let tail = '';
  child.stderr.on('data', (text: Buffer) => (tail = (tail + text.toString()).slice(-2000)));
  const [code] = (await once(child, 'exit')) as [number | null];
  signal.removeEventListener('abort', stop);
  return code === 0 ? undefined : tail;
}

/** All runs are scored on the same images, so no interval covers the uncertainty that comes from their number. */
const NOTE =
  'The intervals cover the differences between seeds, not those that other training or scoring images would make.';

/** A table with a row for each setting, best first, and a note on the intervals. */
export function comparisonTable({ score, rows }: Comparison): string {
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
  return [...lines, '', NOTE].join('\n');
}
