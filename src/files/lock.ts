import { randomBytes } from 'node:crypto';
import { link, mkdir, open, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** The holder says that it lives this often; one on another machine that was silent for STALE is dead. Milliseconds. */
const [HEARTBEAT, STALE, POLL] = [5_000, 60_000, 200];
/** Of this process: its locks are never stale. */
const held = new Set<string>();

export interface Lock {
  release(): Promise<void>;
}

/** Who works under a lock. */
export interface Holder {
  readonly host: string;
  readonly pid: number;
}

/** Runs `work` while no other process and no other call in this one works under the same lock file; waits for them.
 *  A holder that was killed is noticed: at once on this machine, after a minute on another one with the same disk. */
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

/** The lock, or who has it. That of a dead process is taken over. */
export async function tryLock(file: string): Promise<Lock | Holder> {
  const token = randomBytes(8).toString('hex');
  await mkdir(dirname(file), { recursive: true });
  const text = [hostname(), process.pid, token, (await startOf(process.pid)) ?? ''].join(' ');
  for (;;) {
    held.add(token); // before the file is there: nobody in this process may take it for a dead one's
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
      await rm(file, { force: true });
      held.delete(token);
    },
  };
}

async function create(file: string, text: string): Promise<boolean> {
  try {
    const handle = await open(file, 'wx');
    await handle.writeFile(text);
    await handle.close();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return false;
  }
}

/** Who holds the lock; undefined if nobody does (any more): a stale file is then gone. */
async function livingHolder(file: string): Promise<Holder | undefined> {
  const [text, info] = await Promise.all([
    readFile(file, 'utf8').catch(() => undefined),
    stat(file).catch(() => undefined),
  ]);
  if (text === undefined || !info) return undefined; // released just now
  const [host = '', pid = '', token, start] = text.split(' ');
  const holder = { host, pid: Number(pid) };
  const silent = Date.now() - info.mtimeMs;
  // On this machine the process itself is asked, and no clock: one that was set, or a laptop asleep, kills nobody's lock.
  const dead =
    token === undefined || host !== hostname()
      ? silent > STALE
      : holder.pid === process.pid
        ? !held.has(token)
        : !(await isRunning(holder.pid, start));
  if (!dead) return holder;
  await takeAway(file, text);
  return undefined;
}

/** Removes the lock with this text; one that somebody else has made in the meantime is put back. */
async function takeAway(file: string, text: string): Promise<void> {
  const aside = `${file}.${randomBytes(6).toString('hex')}`;
  try {
    await rename(file, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return; // another one took it away
    throw error;
  }
  const taken = await readFile(aside, 'utf8').catch(() => text);
  if (taken !== text) await link(aside, file).catch(() => undefined);
  await rm(aside, { force: true });
}

/** Whether the process runs and is the one that began at `start`: numbers of processes are used again. */
async function isRunning(pid: number, start: string | undefined): Promise<boolean> {
  try {
    process.kill(pid, 0); // asks, and sends nothing
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
  const now = await startOf(pid);
  return !start || now === undefined || now === start;
}

/** When a process began, in ticks since the machine started; only Linux tells. */
async function startOf(pid: number): Promise<string | undefined> {
  const line = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  return line?.slice(line.lastIndexOf(')') + 2).split(' ')[19]; // field 22 of proc(5); the name before it may hold spaces
}
