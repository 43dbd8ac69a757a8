import { afterEach, beforeAll, beforeEach, expect, jest, test } from '@jest/globals';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { forgetScans, saveScans, scanned, type Scan } from '../../src/data/scan/scanCache.js';
import { temporaryFolder } from './temporaryFolder.js';

const root = temporaryFolder();
const folder = join(root, 'files');
const scans = join(root, 'tfjs-finetune', 'scans');
const COUNT = 1000;
const fileOf = (i: number): string => join(folder, `a\tb ${i}.txt`);

/** The first letter of a file. */
const FIRST: Scan<string> = { name: 'first', isSound: (value): value is string => typeof value === 'string' };

/** Scans all files, and counts those that had to be read. */
async function scanAll(): Promise<{ readonly values: string[]; readonly read: number }> {
  let read = 0;
  const values: string[] = [];
  for (let i = 0; i < COUNT; i++) {
    const compute = () => {
      read++;
      return Promise.resolve(readFileSync(fileOf(i), 'utf8')[0]!);
    };
    values.push(await scanned(FIRST, fileOf(i), compute));
  }
  await saveScans();
  forgetScans(); // as the end of a process does
  return { values, read };
}

beforeAll(() => {
  process.env['XDG_CACHE_HOME'] = root;
  mkdirSync(folder);
  for (let i = 0; i < COUNT; i++) writeFileSync(fileOf(i), `${i % 10}`);
});
beforeEach(() => {
  jest.spyOn(Date, 'now').mockReturnValue(Date.now() + 60_000); // the files are not of this instant
});
afterEach(() => {
  forgetScans();
  jest.restoreAllMocks();
  rmSync(scans, { recursive: true, force: true });
});

test('a second start reads nothing, and has the same values', async () => {
  const first = await scanAll();
  expect(first.read).toBe(COUNT);
  expect(await scanAll()).toEqual({ ...first, read: 0 });
});

test('a file that has changed is read again, even if its size and its time are the same', async () => {
  await scanAll();
  writeFileSync(fileOf(7), 'x');
  const { values, read } = await scanAll();
  expect([values[7], read]).toEqual(['x', 1]);
  writeFileSync(fileOf(7), '7');
});

test.each<[string, (text: string) => string]>([
  ['cut off', (text) => text.slice(0, text.length / 2)],
  ['changed in one character', (text) => text.replace('"3"', '"4"')],
  ['empty', () => ''],
  ['of another kind', () => 'hello\nworld'],
])('a cache that is %s is not trusted', async (_, damage) => {
  const first = await scanAll();
  const file = join(scans, readdirSync(scans)[0]!);
  writeFileSync(file, damage(readFileSync(file, 'utf8')));
  expect(await scanAll()).toEqual(first);
});

test('a value that no scan would give is computed again', async () => {
  await scanAll();
  const other: Scan<number> = { name: FIRST.name, isSound: (value): value is number => typeof value === 'number' };
  expect(await scanned(other, fileOf(3), () => Promise.resolve(5))).toBe(5);
});

test('a file that changes in this instant is not remembered', async () => {
  jest.restoreAllMocks();
  writeFileSync(fileOf(0), 'y');
  const file = fileOf(0);
  expect(await scanned(FIRST, file, () => Promise.resolve('y'))).toBe('y');
  expect(await scanned(FIRST, file, () => Promise.resolve('z'))).toBe('z');
  writeFileSync(fileOf(0), '0');
});

test('two processes that write at once leave a cache that one of them wrote', async () => {
  for (const name of [FIRST.name, 'second']) {
    const scan = { ...FIRST, name };
    for (let i = 0; i < COUNT; i++) await scanned(scan, fileOf(i), () => Promise.resolve('q'));
  }
  await Promise.all([saveScans(), saveScans()]);
  forgetScans();
  const { values, read } = await scanAll();
  expect([new Set(values), read]).toEqual([new Set(['q']), 0]);
  expect(readdirSync(scans).filter((name) => name.endsWith('.tmp'))).toEqual([]);
});
