import { randomBytes } from 'node:crypto';
import { mkdir, open, readFile, rm, stat, utimes } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** The holder says that it lives this often; one that was silent for STALE is dead. Milliseconds. */
const [HEARTBEAT, STALE, POLL] = [5_000, 60_000, 200];
/** Of this process: its locks are never stale. */
const held = new Set<string>();

/** Runs `work` while no other process and no other call in this one works under the same lock file; waits for them.
 *  A holder that was killed is noticed: at once on this machine, after a minute on another one with the same disk. */
export async function withLock<T>(file: string, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
  const token = randomBytes(8).toString('hex');
  await mkdir(dirname(file), { recursive: true });
  while (!(await acquire(file, token))) {
    await sleep(POLL, undefined, signal ? { signal } : {});
  }
  held.add(token);
  const alive = setInterval(() => void utimes(file, new Date(), new Date()).catch(() => undefined), HEARTBEAT);
  alive.unref();
  try {
    return await work();
  } finally {
    clearInterval(alive);
    held.delete(token);
    await rm(file, { force: true });
  }
}

async function acquire(file: string, token: string): Promise<boolean> {
  try {
    const handle = await open(file, 'wx');
    await handle.writeFile(`${hostname()} ${process.pid} ${token}`);
    await handle.close();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    if (await isStale(file)) await rm(file, { force: true });
    return false;
  }
}

async function isStale(file: string): Promise<boolean> {
  const [text, info] = await Promise.all([
    readFile(file, 'utf8').catch(() => undefined),
    stat(file).catch(() => undefined),
  ]);
  if (text === undefined || !info) return false; // released just now
  if (Date.now() - info.mtimeMs > STALE) return true;
  const [host, pid, token] = text.split(' ');
  if (host !== hostname() || token === undefined) return false;
  return Number(pid) === process.pid ? !held.has(token) && Date.now() - info.mtimeMs > POLL : !isRunning(Number(pid));
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0); // asks, and sends nothing
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
