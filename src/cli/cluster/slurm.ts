import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { promisify } from 'node:util';
import { FinetuneError, type Problem } from '../../errors.js';
import { makeFolder } from '../../files/folders.js';
import { writeAtomically } from '../../files/writeAtomically.js';
import { quote } from '../quote.js';
import { PROGRAM, TAIL, type Cluster } from './cluster.js';

/** Milliseconds between two looks at the jobs. */
const PAUSE = 2000;
/** Looks that may fail, while Slurm's controller starts again, and those after the end of a task until its exit code is
 *  seen: a shared file system may show it later. */
const PATIENCE = 15;

interface Task {
  readonly words: readonly string[];
  readonly resolve: (failure: string | undefined) => void;
  readonly reject: (error: unknown) => void;
}

/** Slurm: runs that are begun together become one job array, whose tasks have `cpus` CPUs each, and whose scripts and output are in `directory`. sbatch takes
 *  partition, time limit and so on from its own variables (SBATCH_PARTITION, SBATCH_TIMELIMIT …). `directory` must be on
 *  a file system that all nodes share. Throws E_SLURM where sbatch or squeue fails. */
export function slurmCluster(directory: string, cpus: number): Cluster {
  const folder = join(directory, 'slurm');
  const jobs = new Set<string>();
  let waiting: Task[] = [];

  async function submit(): Promise<void> {
    const tasks = waiting;
    waiting = [];
    const name = `${Date.now()}-${process.pid}`;
    try {
      await makeFolder(folder);
      const script = join(folder, `${name}.sh`);
      await writeAtomically(script, scriptOf(tasks, join(folder, name)));
      const output = `--output=${join(folder, name)}-%a.log`;
      const words = [
        '--parsable',
        `--cpus-per-task=${cpus}`,
        `--array=1-${tasks.length}`,
        '--job-name=finetune',
        '--signal=B:TERM@60',
        output,
      ];
      const job = (await slurm('sbatch', [...words, script])).trim().split(';')[0]!;
      jobs.add(job);
      await Promise.all(tasks.map((task, i) => watchTask(job, i + 1, join(folder, name)).then(task.resolve)));
      jobs.delete(job);
    } catch (error) {
      tasks.forEach(({ reject }) => { reject(error); }); // prettier-ignore
    }
  }

  const tell = (options: readonly string[]): void =>
    jobs.forEach((job) => void slurm('scancel', [...options, job]).catch(() => undefined)); // it may have ended
  return {
    run: (words) =>
      new Promise((resolve, reject) => {
        if (waiting.length === 0) setImmediate(() => void submit());
        waiting.push({ words, resolve, reject });
      }),
    stop: () => {
      tell(['--signal=TERM', '--batch']);
      tell(['--state=PENDING']);
    },
    kill: () => { tell([]); }, // prettier-ignore
  };
}

/** The script of a job array. Each task passes a SIGTERM on, so that its run is saved, and leaves its exit code in a file. */
const scriptOf = (tasks: readonly Task[], name: string): string =>
  [
    '#!/bin/bash',
    'case "$SLURM_ARRAY_TASK_ID" in',
    ...tasks.map(({ words }, i) => `${i + 1}) set -- ${[...PROGRAM, ...words].map(quote).join(' ')} ;;`),
    'esac',
    '"$@" & child=$!',
    `trap 'kill -TERM "$child"' TERM`,
    'wait "$child"; code=$?',
    'while kill -0 "$child" 2>/dev/null; do wait "$child"; code=$?; done',
    `echo "$code" > ${quote(name)}-"$SLURM_ARRAY_TASK_ID".exit`,
    '',
  ].join('\n');

/** Waits for the end of a task. Returns the end of its output if it has failed, or has ended without an exit code: it was
 *  cancelled, or its node is gone. */
async function watchTask(job: string, task: number, name: string): Promise<string | undefined> {
  let [failures, absences] = [0, 0];
  for (let looks = 0; ; looks++) {
    if (looks > 0) await setTimeout(PAUSE);
    const code = await readFile(`${name}-${task}.exit`, 'utf8').catch(() => undefined);
    if (code?.trim() === '0') return undefined;
    try {
      if (code === undefined && (await isKnown(`${job}_${task}`))) continue;
      if (code === undefined && ++absences < PATIENCE) continue;
    } catch (error) {
      if (++failures < PATIENCE) continue;
      throw error;
    }
    const log = await readFile(`${name}-${task}.log`, 'utf8').catch(() => '');
    return `${log.slice(-TAIL)}${code === undefined ? `\nSlurm's task ${job}_${task} has ended without an exit code` : ''}`;
  }
}

/** Whether a task waits or runs. squeue forgets a job some minutes after its end. */
async function isKnown(task: string): Promise<boolean> {
  try {
    return (await slurm('squeue', ['--noheader', '--array', '--format=%T', `--job=${task}`])).trim() !== '';
  } catch (error) {
    if (/invalid job id/i.test((error as Error).message)) return false;
    throw error;
  }
}

const execute = promisify(execFile);

async function slurm(program: string, words: readonly string[]): Promise<string> {
  try {
    return (await execute(program, words)).stdout;
  } catch (error) {
    const { code, stderr, message } = error as Error & { readonly code?: string | number; readonly stderr?: string };
    const problem: Problem = {
      code: 'E_SLURM',
      message: code === 'ENOENT' ? `${program} is not there` : `${program}: ${(stderr ?? message).trim()}`,
      fix: 'start the sweep on a machine from which jobs are submitted to Slurm',
    };
    throw new FinetuneError(problem, { cause: error });
  }
}
