import { expect, test } from '@jest/globals';
import { planNames } from '../../src/predict/outputs/planNames.js';
import { unsafePath } from '../../src/safePath.js';
import * as fc from '../fastCheck.js';

const pictures = (files: readonly string[]): string[] => planNames(files).map(({ picture }) => picture);

test('names are the paths below the folder of all files', () => {
  expect(pictures(['/a/b/1.jpg'])).toEqual(['1.jpg']);
  expect(pictures(['/a/b/1.jpg', '/a/c/1.jpg', '/a/c/d/1.png'])).toEqual(['b/1.jpg', 'c/1.jpg', 'c/d/1.png']);
  expect(pictures(['/a/1.jpg', '-', '/a/2.jpg'])).toEqual(['1.jpg', 'stdin.jpg', '2.jpg']);
});

test('files that differ in ending or capitals alone get names of their own', () => {
  expect(pictures(['/a/1.jpg', '/a/1.png', '/a/1.JPG', '/a/1_2.webp'])).toEqual([
    '1.jpg',
    '1_2.png',
    '1_3.JPG',
    '1_2_2.jpg',
  ]);
});

test('formats that browsers do not show become JPEG', () => {
  expect(pictures(['/a/1.tif', '/a/2.bmp', '/a/none', '/a/.jpg'])).toEqual(['1.jpg', '2.jpg', 'none.jpg', '.jpg.jpg']);
});

test('drawings of a folder that is called as the one for crops are apart from them', () => {
  expect(pictures(['/a/crops/1.jpg', '/a/2.jpg'])).toEqual(['crops_/1.jpg', '2.jpg']);
});

test('every name may be written, and no two are alike', () => {
  const part = fc.oneof(fc.constantFrom('..', '.', 'a', 'A', 'con.jpg', 'a:b', 'a\n', '1.jpg', '1.png'), fc.string());
  fc.assert(
    fc.property(fc.array(fc.array(part, { minLength: 1, maxLength: 4 }), { maxLength: 8 }), (paths) => {
      const files = [...new Set(paths.map((parts) => `/${parts.map((one) => one.replace(/[\0/]/g, '')).join('/')}x`))];
      const names = pictures(files);
      for (const name of names) expect(unsafePath(name)).toBeUndefined();
      expect(new Set(names.map((name) => name.toLowerCase())).size).toBe(files.length);
    }),
  );
});
