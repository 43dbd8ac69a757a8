import { describe, expect, it } from '@jest/globals';
import { mkdir, mkdtemp, realpath, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, posix, win32 } from 'node:path';
import { pathBelow } from '../src/files/pathBelow.js';
import { leavesFolder, safeName, unsafeName, unsafePath } from '../src/safePath.js';
import { assert, array, asyncProperty, constantFrom, oneof, property, string } from './fastCheck.js';

/** Paths made of what attacks are made of. */
const hostile = array(
  oneof(constantFrom('..', '.', '/', '\\', ':', '\0', 'C:', '//', '%2f', '%2e', 'CON', 'nul.txt', ' ', '\n', 'a', '~', '‮'), string()), // prettier-ignore
  { maxLength: 8 },
).map((parts) => parts.join(''));

describe('unsafePath', () => {
  it('accepts no path that leaves its folder on any system', () => {
    assert(
      property(hostile, (path) => {
        if (unsafePath(path) !== undefined) return;
        for (const system of [posix, win32]) {
          const folder = system === posix ? '/top/cache' : 'C:\\top\\cache';
          const file = system.resolve(folder, path);
          expect(file.startsWith(folder + system.sep)).toBe(true);
          expect(system.relative(folder, file).split(system.sep)).toEqual(path.split('/')); // and is what was asked for
        }
      }),
      { numRuns: 500 },
    );
  });

  it('accepts the paths whose parts are all names that unsafeName accepts', () => {
    assert(
      property(hostile, (path) => {
        const parts = path.split('/').map(unsafeName);
        expect(unsafePath(path) === undefined).toBe(parts.every((why) => why === undefined));
      }),
    );
  });

  it.each([
    ['', 'empty'],
    ['..', 'out of its folder'],
    ['a/../b', 'out of its folder'],
    ['/etc/passwd', 'out of its folder'],
    ['C:x', 'out of its folder'],
    ['a\\..\\b', 'out of its folder'],
    ['a/./b', 'another folder'],
    ['a//b', 'empty'],
    ['a\\b', 'separator'],
    ['ab:stream', 'separator'],
    ['a\0', 'out of its folder'],
    ['a\nb', 'control character'],
    ['photo‮gpj.exe', 'control character'],
    ['\ud800', 'valid Unicode'],
    ['sub/con', 'device'],
    ['NUL.tar.gz', 'device'],
    ['com¹', 'device'],
    ['LPT9 .txt', 'device'],
    ['a.', 'dot or a space'],
    ['a /b', 'dot or a space'],
    ['ä'.repeat(128), '255 bytes'],
    ['a/'.repeat(512) + 'b', '1024 bytes'],
  ])('refuses %j', (path, why) => {
    expect(unsafePath(path)).toContain(why);
  });

  it.each([
    'model.safetensors',
    'a/b c/ü.bin',
    '.hidden',
    'a..b',
    'console.log',
    'com10',
    'group1-shard1of2.bin',
    '犬.pth',
  ])('accepts %j', (path) => {
    expect(unsafePath(path)).toBeUndefined();
  });
});

it('leavesFolder allows names that are only odd', () => {
  for (const path of ['aux/1.jpg', 'ab:c.jpg', 'a?.jpg', 'a./b.jpg']) expect(leavesFolder(path)).toBe(false);
  for (const path of ['../a', 'a/..', 'a\\..\\b', '/a', '\\\\host\\a', 'd:/a', 'a\0b'])
    expect(leavesFolder(path)).toBe(true);
});

describe('pathBelow', () => {
  it('stays below the folder, through symbolic links too', async () => {
    const top = await realpath(await mkdtemp(join(tmpdir(), 'below-')));
    const dir = join(top, 'dir');
    await mkdir(join(dir, 'own'), { recursive: true });
    await writeFile(join(top, 'secret'), '');
    await symlink(top, join(dir, 'out'));
    await symlink(join(dir, 'own'), join(dir, 'in'));
    await symlink(join(top, 'secret'), join(dir, 'file'));
    expect(await pathBelow(dir, 'new/folder/x')).toEqual({ file: join(dir, 'new', 'folder', 'x') });
    expect(await pathBelow(dir, 'in/x')).toEqual({ file: join(dir, 'in', 'x') });
    for (const path of ['out/x', 'out/new/x', 'file', '../dir/x', '']) {
      expect(await pathBelow(dir, path)).toHaveProperty('refused');
    }
  });

  it('never names a file elsewhere', async () => {
    const dir = await realpath(await mkdtemp(join(tmpdir(), 'below-')));
    await assert(
      asyncProperty(hostile, async (path) => {
        const place = await pathBelow(dir, path);
        if ('file' in place) expect(place.file.startsWith(`${dir}/`)).toBe(true);
      }),
    );
  });
});

describe('safeName', () => {
  it('makes a name that is accepted of any text, and keeps one that is', () => {
    assert(
      property(oneof(hostile, string({ unit: 'binary', maxLength: 400 })), (text) => {
        expect(unsafeName(safeName(text))).toBeUndefined();
        if (unsafeName(text) === undefined && !/[<>"|?*]/.test(text)) expect(safeName(text)).toBe(text);
      }),
      { numRuns: 1000 },
    );
    expect(safeName('Who? <me> "1|2" *')).toBe('Who_ _me_ _1_2_ _');
    expect(unsafeName(safeName(`${'犬'.repeat(200)}.jpg`))).toBeUndefined();
    expect(safeName(`${'犬'.repeat(200)}.jpg`)).toMatch(/犬\.jpg$/);
  });
});
