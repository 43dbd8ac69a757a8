import { expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { tryLock, withLock, type Lock } from '../../src/files/lock.js';
import { temporaryFolder } from '../data/temporaryFolder.js';

const folder = temporaryFolder();
const isHeld = (lock: object): boolean => !('release' in lock);

/** A process that does nothing. */
async function sleeper() {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => 0, 1000)']);
  await once(child, 'spawn');
  return child;
}

test('one holder at a time, who is named; released, it is free', async () => {
  const file = join(folder, 'a.lock');
  const lock = (await tryLock(file)) as Lock;
  expect(await tryLock(file)).toEqual({ host: hostname(), pid: process.pid });
  await lock.release();
  const again = await tryLock(file);
  expect(isHeld(again)).toBe(false);
  await (again as Lock).release();
});

test('work under a lock is done one after the other', async () => {
  const file = join(folder, 'b.lock');
  let working = 0;
  await Promise.all(
    Array.from({ length: 4 }, () =>
      withLock(file, undefined, async () => {
        expect(++working).toBe(1);
        await new Promise((done) => setTimeout(done, 5));
        working--;
      }),
    ),
  );
});

test("a living process keeps its lock whatever the clock says; a dead one's is taken over by exactly one", async () => {
  const file = join(folder, 'c.lock');
  const child = await sleeper();
  await writeFile(file, `${hostname()} ${child.pid} token`);
  await utimes(file, new Date(0), new Date(0)); // as old as after the clock was set forward, or the machine slept
  expect(await tryLock(file)).toEqual({ host: hostname(), pid: child.pid });
  child.kill('SIGKILL');
  await once(child, 'exit');
  const tries = await Promise.all(Array.from({ length: 8 }, () => tryLock(file)));
  const got = tries.filter((lock) => !isHeld(lock)) as Lock[];
  expect(got).toHaveLength(1);
  await got[0]!.release();
  expect((await readdir(folder)).filter((name) => name.startsWith('c.lock'))).toEqual([]);
});

test('many who find the lock of a dead process at the same time: exactly one takes it over, every time', async () => {
  for (let round = 0; round < 40; round++) {
    const file = join(folder, `f${round}.lock`);
    await writeFile(file, `${hostname()} 99999999 token`); // no process has this id
    const tries = await Promise.all(Array.from({ length: 8 }, () => tryLock(file)));
    const got = tries.filter((lock) => !isHeld(lock)) as Lock[];
    expect(got).toHaveLength(1);
    await got[0]!.release();
  }
});

(process.platform === 'linux' ? test : test.skip)('a number that another process has now is no holder', async () => {
  const file = join(folder, 'd.lock');
  const child = await sleeper();
  await writeFile(file, `${hostname()} ${child.pid} token 1`); // the holder started at tick 1; the process that has its id now started later
  const lock = await tryLock(file);
  child.kill('SIGKILL');
  expect(isHeld(lock)).toBe(false);
  expect(await readFile(file, 'utf8')).toMatch(new RegExp(`^\\S+ ${process.pid} \\w+ \\d+$`));
  await (lock as Lock).release();
});

test('another machine on the same disk is believed for a minute', async () => {
  const file = join(folder, 'e.lock');
  await writeFile(file, 'elsewhere 1 token');
  expect(await tryLock(file)).toEqual({ host: 'elsewhere', pid: 1 });
  const old = new Date(Date.now() - 90_000);
  await utimes(file, old, old);
  const lock = await tryLock(file);
  expect(isHeld(lock)).toBe(false);
  await (lock as Lock).release();
});
