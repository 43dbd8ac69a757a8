import { basename, join, resolve } from 'node:path';
import pLimit from 'p-limit';
import { maskSecrets } from '../maskSecrets.js';
import { compareRuns, type Comparison } from '../trials/compareRuns.js';
import { loadRecipe } from '../recipe/load.js';
import type { Recipe } from '../recipe/schema.js';
import { newRunPath } from '../run/directory.js';
import { trainByHalves, type StoppedTrial } from '../trials/trainByHalves.js';
import { memberState, openSweep, planSweep, type Member, type SweepOptions } from '../trials/sweep.js';
import type { Cluster } from './cluster/cluster.js';
import { localCluster } from './cluster/local.js';
import { rayCluster } from './cluster/ray.js';
import { slurmCluster } from './cluster/slurm.js';
import { listenForInterrupt, Stopped } from './interrupt.js';
import { leave } from './leave.js';
import { Reported, UsageError } from './usage.js';

export interface SweepCommand extends SweepOptions {
  readonly set: readonly string[];
  readonly out?: string | undefined;
  /** Runs at a time. */
  readonly parallel: number;
  readonly on: 'local' | 'slurm' | 'ray';
  /** The address of Ray's dashboard. */
  readonly ray: string;
  /** CPUs that Slurm or Ray gives each run. */
  readonly cpus: number;
  /** Stop settings early that do worse than others. */
  readonly stop?: 'asha' | undefined;
  readonly json: boolean;
}

/** `finetune sweep`: runs the recipe with every combination of values, each in its own process, and compares the
 *  runs. Returns false if a run failed. */
export async function sweep(path: string, command: SweepCommand): Promise<boolean> {
  const { set, out, parallel, stop, json, over, seeds, random } = command;
  const recipe = await loadRecipe(path, { set });
  const directory = resolve(out ?? newRunPath(recipe.out, `sweep-${basename(path).replace(/\.ya?ml$/, '')}`));
  const members = planSweep(directory, recipe.seed, { over, seeds, random });
  await checkMembers(path, members, recipe, command);
  await openSweep(directory, recipe);
  say(`${members.length} runs in ${directory}`);
  const cluster = openCluster(directory, command);
  const { signal, stop: stopListening } = listenForInterrupt(
    () => {
      say('stopping the runs, and saving (press Ctrl-C again to kill them)');
      cluster.stop();
    },
    (exitCode) => {
      cluster.kill();
      leave(exitCode);
    },
  );
  const train = memberTrainer(path, { members, set, cluster, signal });
  let early: readonly StoppedTrial[] = [];
  try {
    if (stop === 'asha') {
      const options = { file: join(directory, 'asha.json'), train: recipe.train, parallel, signal };
      early = await trainByHalves(members, train, options);
    } else {
      const limit = pLimit(parallel);
      await Promise.all(members.map((member) => limit(() => train(member))));
    }
  } finally {
    stopListening();
  }
  const states = await Promise.all(members.map(memberState));
  const finished = members.filter((_, i) => states[i] === 'done');
  const stopped = early.filter((trial) => finished.every((member) => member.set !== trial.set));
  if (signal.aborted || finished.length + stopped.length < members.length) {
    say(
      `${finished.length} of ${members.length} runs are done; to continue, repeat the command with --out ${directory}`,
    );
    if (signal.reason instanceof Stopped) throw new Reported(signal.reason.exitCode);
    return false;
  }
  const comparison = await compareMembers(finished);
  console.log(json ? JSON.stringify({ ...comparison, ...(stop && { stopped }) }) : comparisonTable(comparison));
  if (!json && stopped.length > 0) console.log(stoppedTable(stopped));
  console.log(directory);
  return true;
}

/** Finds every error in the recipes before the first run. */
async function checkMembers(
  path: string,
  members: readonly Member[],
  { train }: Recipe,
  { set, on, stop }: SweepCommand,
): Promise<void> {
  for (const member of members) {
    const own = await loadRecipe(path, { set: [...set, ...member.set] });
    if (stop && (own.train.time !== null || own.train.epochs !== train.epochs))
      throw new UsageError(
        '--stop asha compares settings after equal numbers of epochs: do without train.time, and do not vary train.epochs',
      );
    if (on !== 'local' && [...set, ...member.set].some((setting) => maskSecrets(setting) !== setting))
      throw new UsageError(
        `a setting has a secret, which --on ${on} would show to others: download the file, and name it in the recipe`,
      );
  }
}

interface MemberTraining {
  readonly members: readonly Member[];
  /** Settings of all members. */
  readonly set: readonly string[];
  readonly cluster: Cluster;
  readonly signal: AbortSignal;
}

/** Returns a function that trains a member to the end, or until an epoch, and returns whether it did. It says which run
 *  begins or fails, and the text of a failure once. */
function memberTrainer(path: string, { members, set, cluster, signal }: MemberTraining) {
  const failures = new Map<string, string>(); // printed text → the first run that failed with it
  const isStopped = (): boolean => signal.aborted;
  return async (member: Member, until?: number): Promise<boolean> => {
    const place = `${members.indexOf(member) + 1}/${members.length}`;
    const state = await memberState(member);
    if (state === 'done' || isStopped()) return state === 'done';
    const goal = until === undefined ? '' : `, until epoch ${until}`;
    say(`${place}  ${member.set.join(' ')}${state === 'begun' ? ', resumed' : ''}${goal}`);
    const settings = [...set, ...member.set].flatMap((setting) => ['--set', setting]);
    const goals = until === undefined ? [] : ['--until', String(until)];
    const words = [resolve(path), ...settings, '--out', member.directory, ...goals];
    const failure = await cluster.run(state === 'begun' ? [...words, '--resume'] : words);
    if (isStopped()) return (await memberState(member)) === 'done';
    if (failure === undefined) return true;
    const before = failures.get(failure);
    say(`${place}  failed${before === undefined ? `:\n${failure}` : `, as ${before} did`}`);
    if (before === undefined) failures.set(failure, place);
    return false;
  };
}

/** The comparison of finished members. A single one differs from no other, and is named by its own settings but
 *  the seed, which comes last. */
async function compareMembers(finished: readonly Member[]): Promise<Comparison> {
  const compared = await compareRuns(finished.map((member) => member.directory));
  const [only, another] = finished;
  if (!only || another) return compared;
  return {
    ...compared,
    rows: compared.rows.map((row) => ({ ...row, name: maskSecrets(only.set.slice(0, -1).join(' ')) })),
  };
}

/** Prints a line on stderr. A setting may be an address with a token. */
const say = (line: string): void => {
  console.error(maskSecrets(line));
};

function openCluster(directory: string, { on, ray, cpus }: SweepCommand): Cluster {
  if (on === 'slurm') return slurmCluster(directory, cpus);
  return on === 'ray' ? rayCluster(ray, cpus) : localCluster();
}

/** The settings that were stopped early, the longest trained and best ones first. */
const stoppedTable = (stopped: readonly StoppedTrial[]): string =>
  [
    '',
    'Stopped early, with their best score on the validation part until then:',
    ...stopped.map(
      ({ set, epochs, score }) =>
        `${score.toFixed(4)} after ${epochs} epoch${epochs === 1 ? '' : 's'}  ${maskSecrets(set.join(' '))}`,
    ),
  ].join('\n');

/** All runs are scored on the same images, so no interval covers the uncertainty that comes from their number. */
const NOTE =
  'The intervals cover the differences between seeds, not those that other training or scoring images would make.';

/** A table with a row for each setting, best first, and a note on the intervals. */
export function comparisonTable({ score, note, lead, rows }: Comparison): string {
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
  return [...lines, '', NOTE, ...[note, lead].filter((line) => line !== undefined)].join('\n');
}
