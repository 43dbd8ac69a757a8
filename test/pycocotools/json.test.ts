import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import * as fc from '../fastCheck.js';
import { COCO, CocoError, loadCoco, loadJson, loadResFile, parseJson } from '../../src/pycocotools/index.js';
import { decimalToDouble } from '../../src/pycocotools/decimal.js';
import { readDetections } from '../../src/pycocotools/detections.js';
import { readJsonInPieces } from '../../src/pycocotools/jsonPieces.js';

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Hands out a text a few bytes at a time. */
function trickle(bytes: Uint8Array, step: number): (into: Uint8Array) => number {
  let at = 0;
  return (into) => {
    const count = Math.min(step, into.length, bytes.length - at);
    into.set(bytes.subarray(at, at + count));
    at += count;
    return count;
  };
}

const thrownBy = (run: () => unknown): CocoError => {
  try {
    run();
  } catch (error) {
    if (error instanceof CocoError) return error;
    throw error;
  }
  throw new Error('nothing thrown');
};

let folder: string;
let count = 0;
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'pycocotools-js-'))));
afterAll(() => rmSync(folder, { recursive: true }));
const fileWith = (content: string | Uint8Array): string => {
  const file = join(folder, `${++count}.json`);
  writeFileSync(file, content);
  return file;
};

describe('damaged JSON is located', () => {
  test.each([
    [
      'truncated in a list',
      '{"images": [{"id": 1},\n {"id"',
      'E_COCO_JSON',
      { line: 2, column: 7, offset: 29, path: 'images[1].id' },
    ],
    ['truncated in a string', '["abc', 'E_COCO_JSON', { offset: 5, path: '[0]' }],
    ['empty', '', 'E_COCO_JSON', { offset: 0 }],
    ['NaN', '[{"score": NaN}]', 'E_COCO_NUMBER', { offset: 11, path: '[0].score' }],
    ['-Infinity', '[1, -Infinity]', 'E_COCO_NUMBER', { offset: 4, path: '[1]' }],
    ['a comma too many', '{"a": [1, 2,]}', 'E_COCO_JSON', { offset: 12, path: 'a[2]' }],
    ['a missing comma', '[{"a": 1 "b": 2}]', 'E_COCO_JSON', { offset: 9 }],
    ['Python', "[{'a': 1}]", 'E_COCO_JSON', { offset: 2 }],
    ['more after the end', '[] []', 'E_COCO_JSON', { offset: 3 }],
    ['a bad escape', '["\\x"]', 'E_COCO_JSON', { path: '[0]' }],
    ['crossed brackets', '{"a": [1}]', 'E_COCO_JSON', { offset: 8 }],
  ])('%s', (_, text, code, where) => {
    expect(thrownBy(() => parseJson(bytesOf(text)))).toMatchObject({ code, problems: [{ where }] });
    // when streamed, the error has the same byte and no line
    const { offset } = { offset: undefined, ...where };
    const streamed = thrownBy(() => readJsonInPieces(trickle(bytesOf(text), 3), 4));
    expect(streamed.code).toBe(code);
    if (offset !== undefined) expect(streamed.problems[0]!.where!.offset).toBe(offset);
  });

  test('encodings', () => {
    expect(parseJson(bytesOf('\ufeff{"a": "é"}'))).toEqual({ a: 'é' });
    expect(thrownBy(() => parseJson(Uint8Array.of(0xff, 0xfe, 0x5b, 0)))).toMatchObject({ code: 'E_COCO_ENCODING' });
    const latin1 = Uint8Array.of(0x5b, 0x22, 0xe9, 0x22, 0x5d);
    expect(thrownBy(() => parseJson(latin1))).toMatchObject({
      code: 'E_COCO_ENCODING',
      problems: [{ where: { offset: 2 } }],
    });
  });

  test('a million brackets exhaust nothing', () => {
    const text = '['.repeat(1_000_000);
    expect(thrownBy(() => parseJson(bytesOf(text))).code).toBe('E_COCO_JSON');
    expect(thrownBy(() => readJsonInPieces(trickle(bytesOf(text), 1 << 20))).code).toBe('E_COCO_JSON');
  });

  test('cut or changed anywhere: an error with a place, or the value JSON.parse gives', () => {
    const text = JSON.stringify({ a: [{ b: 'x"\\é', c: [1.5e3, null] }, -2], d: { e: [] }, f: [true, [[]]] });
    fc.assert(
      fc.property(
        fc.nat(text.length),
        fc.constantFrom('', '"', ',', '}', ']', '[', '{', '\\', 'x', '0'),
        fc.nat(3),
        (at, put, drop) => {
          const changed = text.slice(0, at) + put + text.slice(at + drop);
          for (const parse of [
            () => parseJson(bytesOf(changed)),
            () => readJsonInPieces(trickle(bytesOf(changed), 5), 3),
          ]) {
            let value: unknown;
            try {
              value = parse();
            } catch (error) {
              expect(error).toMatchObject({ name: 'CocoError', problems: [{ where: { offset: expect.any(Number) } }] });
              expect(() => JSON.parse(changed) as unknown).toThrow();
              continue;
            }
            expect(value).toEqual(JSON.parse(changed));
          }
        },
      ),
      { numRuns: 400 },
    );
  });
});

describe('reading in pieces', () => {
  test('gives what JSON.parse gives, whatever the pieces', () => {
    fc.assert(
      fc.property(fc.json(), fc.integer({ min: 1, max: 40 }), fc.nat(30), (text, step, piece) => {
        expect(readJsonInPieces(trickle(bytesOf(text), step), piece)).toEqual(JSON.parse(text));
      }),
    );
  });

  test('files: streamed or not', async () => {
    const value = {
      images: [{ id: 1 }],
      annotations: Array.from({ length: 5000 }, (_, id) => ({ id, text: `ä"${id}` })),
    };
    const file = fileWith(JSON.stringify(value));
    expect(await loadJson(file, { stream: true })).toEqual(value);
    expect(await loadJson(file)).toEqual(value);
    await expect(loadJson(join(folder, 'absent.json'))).rejects.toMatchObject({ code: 'E_COCO_FILE' });
  });
});

describe('numbers read without Number()', () => {
  test('are the nearest doubles', () => {
    const digits = fc.tuple(fc.bigInt({ min: 1n, max: 999_999_999_999_999_999n }), fc.integer({ min: -22, max: 22 }));
    let told = 0;
    fc.assert(
      fc.property(digits, ([integer, exponent]) => {
        const text = integer.toString();
        const low = text.slice(9);
        const value = decimalToDouble(Number(text.slice(0, 9)), Number(low), low.length, exponent);
        if (Number.isNaN(value)) return;
        told++;
        expect(value).toBe(Number(`${text}e${exponent}`));
      }),
      { numRuns: 15_000 },
    );
    expect(told).toBeGreaterThan(5000);
  });

  test('doubles printed by JSON come back, halfway cases included', () => {
    const read = (text: string): number | undefined =>
      readDetections(trickle(bytesOf(`[{"image_id":1,"category_id":2,"bbox":[0,0,1,1],"score":${text}}]`), 7))
        ?.score[0];
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (x) =>
        expect(read(JSON.stringify(x))).toBe(JSON.parse(JSON.stringify(x))),
      ),
    );
    fc.assert(
      fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), (x) =>
        expect(read(String(x))).toBe(Number(String(x))),
      ),
    );
    for (const text of [
      '9007199254740993',
      '0.10000000000000000555',
      '4503599627370497.5',
      '1e-400',
      '-0',
      '123456789012345678901234567890',
      '5e-324',
    ]) {
      expect(read(text)).toBe(Number(text));
    }
  });
});

describe('results files', () => {
  const dataset = { images: [{ id: 1 }, { id: 2 }], categories: [{ id: 3 }], annotations: [] };
  const results = Array.from({ length: 300 }, (_, i) => ({
    image_id: 1 + (i % 2),
    category_id: 3,
    bbox: [i / 3, 1 - i, i / 7, 1],
    score: i / 300,
  }));

  test('the fast reader gives what loadRes gives', async () => {
    const coco = new COCO(dataset);
    const expected = coco.loadRes(results);
    for (const text of [
      JSON.stringify(results),
      JSON.stringify(results, null, 2),
      `\n${JSON.stringify(results.map(({ score, ...rest }) => ({ score, ...rest })))} `,
    ]) {
      const res = await loadResFile(coco, fileWith(text));
      expect(readDetections(trickle(bytesOf(text), 1000))?.length).toBe(300);
      const [fast, slow] = [res.columns(), expected.columns()];
      for (const name of ['id', 'imageId', 'categoryId', 'bbox', 'area', 'score', 'crowd'] as const)
        expect(fast[name]).toEqual(slow[name]);
      expect(res.dataset.annotations).toEqual(expected.dataset.annotations);
      expect(res.getAnnIds({ imgIds: 2 })).toHaveLength(150);
    }
    expect((await loadResFile(coco, fileWith('[]'))).getAnnIds()).toEqual([]);
  });

  test('leaves what it does not know to the others', () => {
    for (const text of [
      '',
      '{}',
      '[1]',
      '[{"image_id": 1}]',
      '[{"image_id":1,"category_id":3,"bbox":[0,0,1,1],"score":1,"id":5}]',
      '[{"image_id":01,"category_id":3,"bbox":[0,0,1,1],"score":1}]',
      '[{"image_id":1,"category_id":3,"bbox":[0,0,1],"score":1}]',
      '[{"image_id":1,"category_id":3,"bbox":[0,0,1,1],"score":1},]',
      '[{"image_id":1,"category_id":3,"bbox":[0,0,1,1],"score":1.}]',
      '[] x',
    ]) {
      expect(readDetections(trickle(bytesOf(text), 10))).toBeUndefined();
    }
  });

  test.each([
    ['E_COCO_IMAGE_ID', { image_id: 9 }],
    ['E_COCO_CATEGORY_ID', { category_id: 9 }],
    ['E_COCO_SIZE', { bbox: [0, 0, -1, 1] }],
    ['E_COCO_FIELD', { score: 'high' }],
    ['E_COCO_FIELD', { bbox: { x: 1 } }],
  ])('%s names the file and the entry', async (code, change) => {
    const file = fileWith(JSON.stringify([results[0], { ...results[1], ...change }]));
    const loading = loadResFile(new COCO(dataset), file);
    await expect(loading).rejects.toMatchObject({
      code,
      problems: [{ where: { file, path: expect.stringMatching(/^\[1\]/) } }],
    });
  });

  test('annotation files', async () => {
    const file = fileWith(JSON.stringify(dataset));
    expect((await loadCoco(file)).getImgIds()).toEqual([1, 2]);
    expect((await loadCoco(file, { stream: true })).getImgIds()).toEqual([1, 2]);
    const bad = fileWith('{"images": [{"id": "one"}]}');
    await expect(loadCoco(bad)).rejects.toMatchObject({ code: 'E_COCO_FIELD', message: expect.stringContaining(bad) });
    await expect(loadCoco(fileWith('{"images": 5'))).rejects.toMatchObject({ code: 'E_COCO_JSON' });
  });
});
