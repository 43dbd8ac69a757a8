import { randomBytes } from 'node:crypto';
import { open, readFile, rm, stat, utimes } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { onDisk } from './disk.js';
import { discard, makeFolder } from './folders.js';

/** Milliseconds: the holder of a lock touches its file every HEARTBEAT; a holder on another machine that has not done
 *  so for STALE is taken for dead; who waits for a lock looks every POLL, and who waits for another's takeover, TAKEOVER. */
const [HEARTBEAT, STALE, POLL, TAKEOVER] = [5_000, 60_000, 200, 5];
/** Tokens of the locks that this process holds, which are never stale. */
const held = new Set<string>();

export interface Lock {
  release(): Promise<void>;
}

/** The process that holds a lock. */
export interface Holder {
  readonly host: string;
  readonly pid: number;
}

/** Waits until no other process, and no other call in this one, holds the lock file, and then runs `work` under it.
 *  The lock of a process that was killed is taken over: at once on this machine, after a minute if it ran on another
 *  one with the same disk. */
export async function withLock<T>(file: string, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
  let lock = await tryLock(file);
  while (!('release' in lock)) {
    await sleep(POLL, undefined, signal ? { signal } : {});
    lock = await tryLock(file);
  }
  try {
    return await work();
  } finally {
    await lock.release();
  }
}

/** Takes the lock, also from a dead process, or returns the process that holds it. Throws E_DISK_…. */
export async function tryLock(file: string): Promise<Lock | Holder> {
  const token = randomBytes(8).toString('hex');
  await makeFolder(dirname(file));
  const text = [hostname(), process.pid, token, (await startOf(process.pid)) ?? ''].join(' ');
  for (;;) {
    held.add(token); // before the file exists, so that no other call in this process takes it for that of a dead one
    if (await create(file, text)) break;
    held.delete(token);
    const holder = await livingHolder(file);
    if (holder) return holder;
  }
  const alive = setInterval(() => void utimes(file, new Date(), new Date()).catch(() => undefined), HEARTBEAT);
  alive.unref();
  return {
    async release() {
      clearInterval(alive);
      await discard(file);
      held.delete(token);
    },
  };
}

async function create(file: string, text: string): Promise<boolean> {
  const handle = await onDisk(file, () => open(file, 'wx')).catch((error: unknown) => {
    if (((error as Error).cause as NodeJS.ErrnoException | undefined)?.code === 'EEXIST') return undefined;
    throw error;
  });
  if (!handle) return false;
  try {
    await onDisk(file, () => handle.writeFile(text));
    return true;
  } catch (error) {
    await discard(file); // an empty lock would seem to be somebody's
    throw error;
  } finally {
    await handle.close();
  }
}

/** The process that holds the lock; undefined if none does. A stale file is removed. */
async function livingHolder(file: string): Promise<Holder | undefined> {
  const [text, info] = await Promise.all([
    readFile(file, 'utf8').catch(() => undefined),
    stat(file).catch(() => undefined),
  ]);
  if (text === undefined || !info) return undefined; // released just now
  const [host = '', pid = '', token, start] = text.split(' ');
  const holder = { host, pid: Number(pid) };
  const silent = Date.now() - info.mtimeMs;
  // On this machine the process itself is checked and no clock is read, so that a clock that was set or a laptop
  // that slept costs no lock.
  const dead =
    token === undefined || host !== hostname()
      ? silent > STALE
      : holder.pid === process.pid
        ? !held.has(token)
        : !(await isRunning(holder.pid, start));
  if (!dead) return holder;
  await removeStale(file, text);
  return undefined;
}

/** Removes the lock file of a dead process, which has this text. Several processes may find it at the same time, and
 *  one of them may already hold a new lock under its name: only whoever creates a second file may look again and remove
 *  it, so that no living lock is removed. */
async function removeStale(file: string, text: string): Promise<void> {
  const guard = `${file}.takeover`;
  if (!(await create(guard, ''))) {
    const info = await stat(guard).catch(() => undefined);
    if (info && Date.now() - info.mtimeMs > STALE) await discard(guard); // its process was killed just here
    await sleep(TAKEOVER);
    return;
  }
  try {
    const now = await readFile(file, 'utf8').catch(() => undefined);
    if (now === text) await onDisk(file, () => rm(file, { force: true }));
  } finally {
    await discard(guard);
  }
}

/** Whether the process is running and is the one that began at `start`: the system reuses the ids of processes. */
async function isRunning(pid: number, start: string | undefined): Promise<boolean> {
  try {
    process.kill(pid, 0); // checks for the process and sends nothing
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
  const now = await startOf(pid);
  return !start || now === undefined || now === start;
}

/** When a process began, in ticks since the machine started; known on Linux alone. */
async function startOf(pid: number): Promise<string | undefined> {
  const line = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  // Field 22 of proc(5). The name of the process, in parentheses before it, may hold spaces.
  return line?.slice(line.lastIndexOf(')') + 2).split(' ')[19];
}
