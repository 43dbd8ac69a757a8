import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import sharp from 'sharp';
import { createFindings } from '../../../src/data/findings.js';
import { testOnShared } from '../sharedData.js';
import { readMat } from '../../../src/data/formats/text/matFile.js';
import { readSynthText } from '../../../src/data/formats/text/synthText.js';

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'synthtext-'));
});
afterAll(() => rm(root, { recursive: true, force: true }));

/** A tagged element, padded to 8 bytes. */
function element(type: number, data: Uint8Array, padded = true): Uint8Array {
  const bytes = new Uint8Array(8 + (padded ? Math.ceil(data.length / 8) * 8 : data.length));
  new DataView(bytes.buffer).setUint32(0, type, true);
  new DataView(bytes.buffer).setUint32(4, data.length, true);
  bytes.set(data, 8);
  return bytes;
}
const join8 = (...parts: Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts));
const bytesOf = (array: Float64Array | Int32Array | Uint32Array | Uint16Array): Uint8Array =>
  new Uint8Array(array.buffer);
/** An array of a class, with its name and contents. */
const matrix = (kind: number, shape: number[], name: string, ...contents: Uint8Array[]): Uint8Array => {
  const label = Buffer.from(name);
  return element(
    14,
    join8(element(6, bytesOf(Uint32Array.of(kind, 0))), element(5, bytesOf(Int32Array.from(shape))), element(1, label), ...contents),
  ); // prettier-ignore
};
const text = (...rows: string[]): Uint8Array => {
  const width = rows[0]!.length;
  const codes = Uint16Array.from({ length: rows.length * width }, (_, i) =>
    rows[i % rows.length]!.charCodeAt(Math.floor(i / rows.length)),
  );
  return matrix(4, [rows.length, width], '', element(4, bytesOf(codes)));
};
const quads = (...corners: number[][]): Uint8Array =>
  matrix(6, [2, 4, corners.length], '', element(9, bytesOf(Float64Array.from(corners.flat()))));
const cells = (name: string, ...values: Uint8Array[]): Uint8Array => matrix(1, [1, values.length], name, ...values);
const box = (x: number, width: number): number[] => [x, 5, x + width, 5, x + width, 15, x, 15];

/** gt.mat of one image with the words "ab" and "c", the second variable compressed. */
async function write(name: string, characters: Uint8Array): Promise<string> {
  const folder = join(root, name);
  const header = new Uint8Array(128).fill(32);
  header.set(Buffer.from('MATLAB 5.0 MAT-file'));
  header.set([0, 1, 0x49, 0x4d], 124);
  const parts = [
    cells('imnames', text('a.jpg')),
    element(15, deflateSync(cells('wordBB', quads(box(2, 20), box(30, 10)))), false),
    cells('charBB', characters),
    cells('txt', text(' ab', 'c  ')),
  ];
  await sharp({ create: { width: 60, height: 20, channels: 3, background: '#999' } })
    .jpeg()
    .toFile(`${folder}-a.jpg`);
  const { mkdir, rename } = await import('node:fs/promises');
  await mkdir(folder);
  await rename(`${folder}-a.jpg`, join(folder, 'a.jpg'));
  await writeFile(join(folder, 'gt.mat'), join8(header, ...parts));
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
