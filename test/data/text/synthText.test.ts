import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { createFindings } from '../../../src/data/findings.js';
import { testOnShared } from '../sharedData.js';
import { readMat } from '../../../src/data/formats/text/matFile.js';
import { readSynthText } from '../../../src/data/formats/text/synthText.js';
import { box, matFile, quads } from './matFile.js';

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'synthtext-'));
});
afterAll(() => rm(root, { recursive: true, force: true }));

/** A folder with an image and its gt.mat. */
async function write(name: string, characters: Uint8Array): Promise<string> {
  const folder = join(root, name);
  await sharp({ create: { width: 60, height: 20, channels: 3, background: '#999' } })
    .jpeg()
    .toFile(`${folder}-a.jpg`);
  const { mkdir, rename } = await import('node:fs/promises');
  await mkdir(folder);
  await rename(`${folder}-a.jpg`, join(folder, 'a.jpg'));
  await writeFile(join(folder, 'gt.mat'), matFile(['a.jpg'], characters));
  return folder;
}

test('names, quads and padded texts of several lines become words with their characters', async () => {
  const folder = await write('good', quads(box(2, 10), box(12, 10), box(30, 10)));
  const findings = createFindings();
  const { annotations } = await readSynthText({ root: folder, name: 'train' }, findings);
  findings.throwIfAny();
  expect(annotations[0]).toMatchObject({ imageId: 'a.jpg', width: 60, height: 20 });
  expect(annotations[0]!.words).toEqual([
    { text: 'ab', outline: box(2, 20), characters: [box(2, 10), box(12, 10)], dontCare: false },
    { text: 'c', outline: box(30, 10), characters: [box(30, 10)], dontCare: false },
  ]);
  const none = await readSynthText({ root: folder, name: 'val', keep: () => false }, findings);
  expect(none.annotations).toEqual([]);
});

test('what does not fit together, and what is no such file, is said', async () => {
  const findings = createFindings();
  await readSynthText({ root: await write('short', quads(box(2, 10))), name: 'train' }, findings);
  expect(findings.problems().map(({ code }) => code)).toEqual(['E_SYNTHTEXT']);
  await expect(readSynthText({ root: join(root, 'nowhere'), name: 'x' }, findings)).rejects.toMatchObject({
    code: 'E_SYNTHTEXT',
  });
  expect(() => readMat(new Uint8Array(200), 'x.mat')).toThrow(expect.objectContaining({ code: 'E_MAT' }));
});

test('a text of more characters than the file has is an error, not memory for as many', () => {
  const bytes = Buffer.from(matFile(['a.jpg'], quads(box(2, 10))));
  const shape = Buffer.from([5, 0, 0, 0, 8, 0, 0, 0, 1, 0, 0, 0, 5, 0, 0, 0]); // 32-bit numbers, 8 bytes: 1 × 5
  const at = bytes.indexOf(shape);
  expect(at).toBeGreaterThan(0);
  bytes.writeInt32LE(2 ** 31 - 1, at + 12);
  expect(() => readMat(bytes, 'x.mat')).toThrow('a text of 1 × 2147483647 characters has 5');
});

testOnShared('SynthText’s own sample: 5 images, 70 words, 328 characters', 'synthtext_sample', async (dir) => {
  const findings = createFindings();
  const { annotations, dropped } = await readSynthText({ root: dir, name: 'sample' }, findings);
  findings.throwIfAny();
  const words = annotations.flatMap((image) => image.words);
  expect([annotations.length, words.length, words.flatMap(({ characters }) => characters!).length]).toEqual([
    5, 70, 328,
  ]);
  expect(words.slice(0, 3).map(({ text: word }) => word)).toEqual(['over', 'way', 'the']);
  expect(dropped).toEqual({});
});
