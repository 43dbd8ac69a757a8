import { expect, test } from '@jest/globals';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { appendTo } from '../../src/files/appendTo.js';
import { diskError, onDisk, readError } from '../../src/files/disk.js';
import { makeFolder, makeWhole, withTemporaryFolder, writeNew } from '../../src/files/folders.js';
import { tryLock } from '../../src/files/lock.js';
import { openRunDirectory } from '../../src/run/directory.js';
import { openSource } from '../../src/weights/sources/source.js';
import { temporaryFolder } from '../data/temporaryFolder.js';

const folder = temporaryFolder();
const file = join(folder, 'a file');
await writeFile(file, '');
const below = join(file, 'below', 'it');
const absent = join(folder, 'absent', 'one');

test.each<[name: string, code: string, where: string, work: () => unknown]>([
  ['a folder in the place of a file', 'E_DISK_WRITE', file, () => makeFolder(file)],
  ['a folder below a file', 'E_DISK_WRITE', below, () => makeFolder(below)],
  ['a run directory in the place of a file', 'E_DISK_WRITE', file, () => openRunDirectory(file)],
  ['a run directory below a file', 'E_DISK_WRITE', below, () => openRunDirectory(below)],
  ['a lock below a file', 'E_DISK_WRITE', file, () => tryLock(join(file, 'lock'))],
  ['a file in a folder that is not there', 'E_DISK_WRITE', absent, () => writeNew(absent, 'x')],
  ['a file that cannot grow there', 'E_DISK_WRITE', absent, () => appendTo(absent)],
  [
    'a temporary folder below TMPDIR, which is not there',
    'E_DISK_WRITE',
    join(folder, 'absent'),
    () => withTemporaryFolder(absent, () => Promise.resolve()),
  ],
  [
    'a cache of weights below a file',
    'E_DISK_WRITE',
    below,
    () => openSource('npm:nothing@1.0.0/x', { cacheDir: below }),
  ],
  [
    'a download into a cache below a file',
    'E_DISK_WRITE',
    join(below, 'partial'),
    () => openSource('http://127.0.0.1:9/x.safetensors', { cacheDir: below }),
  ],
])('%s is an error of the disk, with path and fix', async (_, code, where, work) => {
  const error: unknown = await Promise.resolve()
    .then(work)
    .catch((thrown: unknown) => thrown);
  const problem = {
    code,
    where: { file: where },
    fix: expect.stringMatching(/\w/),
    message: expect.not.stringMatching(/internal|E[A-Z]{4}/),
  };
  expect(error).toMatchObject({ problems: [problem] });
});

test.each([
  'ENOSPC',
  'EDQUOT',
  'EFBIG',
  'EACCES',
  'EPERM',
  'EROFS',
  'EIO',
  'EMFILE',
  'ENAMETOOLONG',
  'EISDIR',
  'EBUSY',
])('%s', (code) => {
  const error = Object.assign(new Error(`${code}: says the system, write`), { code, syscall: 'write' });
  expect(diskError(error, 'x')).toMatchObject({
    code: expect.stringMatching(/^E_DISK_(FULL|READ_ONLY|WRITE)$/),
    problems: [{ where: { file: 'x' } }],
  });
});

(existsSync('/dev/full') ? test : test.skip)('a file that grows on a full disk', () => {
  const full = appendTo('/dev/full');
  expect(() => full.write('x')).toThrow(expect.objectContaining({ code: 'E_DISK_FULL' }));
  full.close();
});

test('errors of the network, of programs and of our own stay what they are', async () => {
  for (const [code, syscall] of [
    ['ECONNRESET', 'read'],
    ['ENOENT', 'spawn pip'],
  ]) {
    const error = Object.assign(new Error('x'), { code, syscall });
    expect([diskError(error, 'x'), readError(error)]).toEqual([error, error]);
  }
  await expect(onDisk('x', () => Promise.reject(new TypeError('ours')))).rejects.toThrow(TypeError);
});

test('a file that nothing expected to be unreadable is named', async () => {
  const error: unknown = await readFile(below).catch((thrown: unknown) => thrown);
  expect(readError(error)).toMatchObject({
    code: 'E_DISK_READ',
    problems: [{ message: 'cannot read: not a directory', where: { file: below } }],
  });
});

test('what grows is there at once, and a folder is whole or not there', async () => {
  const log = appendTo(join(folder, 'log'));
  log.write('größer\n');
  log.write(Uint8Array.of(97));
  expect(await readFile(join(folder, 'log'), 'utf8')).toBe('größer\na');
  log.close();
  const made = join(folder, 'made');
  const broken = makeWhole(
    made,
    async (temporary) => {
      await mkdir(temporary);
      throw new Error('half-way');
    },
    () => Promise.resolve(false),
  );
  await expect(broken).rejects.toThrow('half-way');
  const stop = () => Promise.reject(new Error('at once'));
  await expect(makeWhole(join(folder, 'around', 'it', 'made'), stop, () => Promise.resolve(false))).rejects.toThrow();
  expect(await readdir(folder)).not.toContain('around');
  await makeWhole(
    made,
    (temporary) => mkdir(temporary),
    () => Promise.resolve(false),
  );
  expect((await stat(made)).isDirectory()).toBe(true);
  expect((await readdir(folder)).filter((name) => name.includes('tmp'))).toEqual([]);
});

test('folders that were made are removed as far as they are empty', async () => {
  const inner = join(folder, 'outer', 'middle', 'inner');
  await (await makeFolder(inner)).removeIfEmpty();
  expect(await readdir(folder)).not.toContain('outer');
  const made = await makeFolder(inner);
  await writeFile(join(folder, 'outer', 'file'), '');
  await (await makeFolder(inner)).removeIfEmpty(); // was there
  expect((await stat(inner)).isDirectory()).toBe(true);
  await made.removeIfEmpty();
  expect(await readdir(join(folder, 'outer'))).toEqual(['file']);
  await (await openRunDirectory(join(folder, 'runs', 'stopped'))).close(); // as by a mistake in the recipe's data
  expect(await readdir(folder)).not.toContain('runs');
});
