import { readdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { FinetuneError } from '../errors.js';
import { onDisk } from '../files/disk.js';
import { makeFolder, remove } from '../files/folders.js';
import { tryLock } from '../files/lock.js';
import { writeAtomically } from '../files/writeAtomically.js';
import { REHEARSAL } from '../train/costs/rehearse.js';

/** The folder of one run: `recipe.yaml`, `metrics.jsonl`, `checkpoints/`, `report.html` …
 *  Until it is closed, no other process can open it. */
export interface RunDirectory {
  readonly path: string;
  /** Writes a file of the directory, atomically. */
  write(name: string, content: string): Promise<void>;
  /** A directory that was made, and into which nothing was written, is removed. */
  close(): Promise<void>;
}

const LOCK = 'run.lock';
/** The last file that a run writes: a directory that has it holds a finished run. */
export const FINISHED = 'metrics.json';

export const isThere = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

/** Makes the directory of a run, or with `resume` opens that of a run to continue. Takes over the lock of a process
 *  that is dead, and removes what its rehearsal left. Throws E_RUN_EXISTS if the directory of a new run is not
 *  empty, E_RESUME_NOTHING if that of a run to continue is not there, and E_RUN_LOCKED while another process works
 *  in it. */
export async function openRunDirectory(path: string, { resume = false } = {}): Promise<RunDirectory> {
  const directory = resolve(path);
  if (resume && !(await isThere(directory))) {
    throw new FinetuneError({
      code: 'E_RESUME_NOTHING',
      message: 'there is no run to continue',
      where: { file: directory },
      fix: 'start it without --resume and --extend',
    });
  }
  const made = await makeFolder(directory);
  const lock = await tryLock(join(directory, LOCK));
  if (!('release' in lock)) {
    const known = lock.pid > 0;
    throw new FinetuneError({
      code: 'E_RUN_LOCKED',
      message: known
        ? `process ${lock.pid} on ${lock.host} is working in this run directory`
        : `the lock of this run directory does not say which process holds it: ${LOCK} is damaged`,
      where: { file: directory },
      fix: known
        ? `wait until it is done, stop it (kill ${lock.pid}), or choose another --out`
        : 'try again in a minute, when a damaged lock is taken over, or choose another --out',
    });
  }
  const found = await onDisk(directory, () => readdir(directory));
  const left = found.filter((name) => name.startsWith(REHEARSAL));
  for (const name of left) await remove(join(directory, name));
  const held = found.filter((name) => name !== LOCK && !left.includes(name));
  if (held.length > 0 && !resume) {
    await lock.release();
    const isRun = held.includes('recipe.yaml');
    const finished = held.includes(FINISHED);
    const state = finished ? 'holds a finished run' : isRun ? 'holds a run that was stopped' : 'is not empty';
    const verb = finished ? 'train it for longer with --extend N' : 'continue it with --resume';
    const another = `choose another --out (model.weights: run:${directory} starts from its weights)`;
    throw new FinetuneError({
      code: 'E_RUN_EXISTS',
      message: `the run directory ${state}`,
      where: { file: directory },
      fix: isRun ? `${verb}; or ${another}` : 'choose another --out',
    });
  }
  return {
    path: directory,
    write: (name, content) => writeAtomically(join(directory, name), content),
    async close() {
      await lock.release();
      await made.removeIfEmpty();
    },
  };
}

/** The path of a new run: `<parent>/<name>-20261123-231500`, in local time. */
export function newRunPath(parent: string, name: string, now = new Date()): string {
  const two = (value: number): string => String(value).padStart(2, '0');
  const date = `${now.getFullYear()}${two(now.getMonth() + 1)}${two(now.getDate())}`;
  return join(parent, `${name}-${date}-${two(now.getHours())}${two(now.getMinutes())}${two(now.getSeconds())}`);
}
