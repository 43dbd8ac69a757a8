import { expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { chmod, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeAtomically } from '../../src/files/writeAtomically.js';
import { temporaryFolder } from '../data/temporaryFolder.js';

const folder = temporaryFolder();

test('text, and bytes in parts; nothing else stays in the folder', async () => {
  const dir = join(folder, 'plain');
  await mkdir(dir);
  await writeAtomically(join(dir, 'a'), 'text');
  await writeAtomically(join(dir, 'b'), [Uint8Array.of(1, 2), Uint8Array.of(3)]);
  expect(await readFile(join(dir, 'a'), 'utf8')).toBe('text');
  expect([...(await readFile(join(dir, 'b')))]).toEqual([1, 2, 3]);
  expect((await readdir(dir)).sort()).toEqual(['a', 'b']);
});

test('the file as it was is kept under another name', async () => {
  const [file, previous] = [join(folder, 'last'), join(folder, 'previous')];
  for (const text of ['1', '2', '3']) await writeAtomically(file, text, { previous });
  expect(await readFile(file, 'utf8')).toBe('3');
  expect(await readFile(previous, 'utf8')).toBe('2');
});

test('a source that fails half-way leaves the file as it was', async () => {
  const file = join(folder, 'kept');
  await writeAtomically(file, 'good');
  const parts = function* () {
    yield Uint8Array.of(1);
    throw new Error('no more');
  };
  await expect(writeAtomically(file, parts())).rejects.toThrow('no more');
  expect(await readFile(file, 'utf8')).toBe('good');
  expect((await readdir(folder)).filter((name) => name.includes('tmp'))).toEqual([]);
});

test('a folder that is gone is said in words', async () => {
  await expect(writeAtomically(join(folder, 'absent', 'file'), 'x')).rejects.toMatchObject({ code: 'E_DISK_WRITE' });
});

(process.getuid?.() === 0 ? test.skip : test)('a folder without the right to write', async () => {
  const dir = join(folder, 'closed');
  await mkdir(dir);
  await chmod(dir, 0o500);
  await expect(writeAtomically(join(dir, 'file'), 'x')).rejects.toMatchObject({ code: 'E_DISK_READ_ONLY' });
});

(process.platform === 'win32' ? test.skip : test)('no room: the error says so, and the file is as it was', async () => {
  const file = join(folder, 'full');
  await writeFile(file, 'good');
  const script = `import { writeAtomically } from ${JSON.stringify(new URL('../../dist/files/writeAtomically.js', import.meta.url).href)};
    await writeAtomically(${JSON.stringify(file)}, [new Uint8Array(1 << 20)]).catch((error) => console.log(error.code));`;
  const limited = ['-c', 'ulimit -f 64; exec "$0" "$@"', process.execPath, '--input-type=module', '-e', script];
  const { stdout } = spawnSync('sh', limited, { encoding: 'utf8' });
  expect(stdout).toBe('E_DISK_FULL\n');
  expect((await stat(file)).size).toBe(4);
});
