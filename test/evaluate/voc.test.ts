import { describe, expect, test } from '@jest/globals';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { averagePrecision, scoreVoc } from '../../src/evaluate/voc.js';
import { readVocDetections } from '../../src/evaluate/vocDetections.js';
import { readAllNames, readVocTruth } from '../../src/evaluate/vocTruth.js';
import { testOnShared } from '../data/sharedData.js';
import { temporaryFolder } from '../data/temporaryFolder.js';
import { writeFolder } from './textData.js';

type Corners = readonly [number, number, number, number];

interface Golden {
  readonly truth: Readonly<Record<string, readonly { name: string; difficult: boolean; box: Corners }[]>>;
  readonly found: Readonly<Record<string, readonly (readonly [stem: string, score: number, box: Corners])[]>>;
  readonly expected: Readonly<
    Record<string, { 2007: number; 2012: number; recall: readonly number[]; precision: readonly number[] }>
  >;
}

/** How it was made: test/fixtures/voc/make.py. */
const golden = JSON.parse(
  readFileSync(join(import.meta.dirname, '../fixtures/voc/voc.json'), 'utf8'),
) as readonly Golden[];

const dir = temporaryFolder();

function writeVoc(name: string, truth: Golden['truth']): string {
  const root = join(dir, name);
  for (const folder of ['Annotations', 'ImageSets/Main']) mkdirSync(join(root, folder), { recursive: true });
  writeFileSync(join(root, 'ImageSets/Main/test.txt'), Object.keys(truth).join('\n'));
  for (const [stem, objects] of Object.entries(truth)) {
    const rows = objects.map(
      ({ name: label, difficult, box: [xmin, ymin, xmax, ymax] }) =>
        `<object><name>${label}</name><difficult>${Number(difficult)}</difficult><bndbox><xmin>${xmin}</xmin>` +
        `<ymin>${ymin}</ymin><xmax>${xmax}</xmax><ymax>${ymax}</ymax></bndbox></object>`,
    );
    const xml = `<annotation><size><width>500</width><height>400</height></size>\n${rows.join('\n')}\n</annotation>`;
    writeFileSync(join(root, 'Annotations', `${stem}.xml`), xml);
  }
  return root;
}

async function score(root: string, results: string, year: 2007 | 2012) {
  const truth = await readVocTruth(root, 'test');
  const { detections, notes } = await readVocDetections(results, {
    split: 'test',
    stems: truth.images.map(({ stem }) => stem),
    classes: truth.classes,
    numbered: () => readAllNames(root),
  });
  return { ...scoreVoc(truth, detections, year), notes };
}

const writeJson = (name: string, value: unknown): string => {
  const file = join(dir, name);
  writeFileSync(file, typeof value === 'string' ? value : JSON.stringify(value));
  return file;
};

describe.each(golden.map((entry, i) => [i, entry] as const))('golden figures %i', (i, { truth, found, expected }) => {
  const root = writeVoc(`golden${i}`, truth);
  const comp4 = writeFolder(
    dir,
    `comp4-${i}`,
    Object.fromEntries(
      Object.entries(found).map(([name, rows]) => [
        `comp4_det_test_${name}.txt`,
        rows.map(([stem, value, box]) => `${stem} ${value} ${box.join(' ')}\n`).join(''),
      ]),
    ),
  );
  const names = Object.keys(expected).sort();
  const rows = names.flatMap((category) =>
    found[category]!.map(([image_id, value, [x1, y1, x2, y2]], n) => ({
      image_id: n % 2 === 0 ? image_id : Number(image_id),
      ...(n % 3 === 0 ? { category_id: names.indexOf(category) + 1 } : { category }),
      bbox: [x1 - 1, y1 - 1, x2 - x1 + 1, y2 - y1 + 1],
      score: value,
    })),
  );

  test.each([2007, 2012] as const)('%i: equal to the Python implementation, comp4 files and JSON', async (year) => {
    const fromComp4 = await score(root, comp4, year);
    const fromJson = await score(root, writeJson(`golden${i}.json`, rows), year);
    for (const [name, figures] of Object.entries(expected)) {
      expect(fromComp4.score.AP[name]).toBeCloseTo(figures[year], 12);
      expect(fromJson.score.AP[name]).toBeCloseTo(figures[year], 12);
      const { recall, precision } = fromComp4.curves.get(name)!;
      expect([...recall.subarray(0, 20)]).toEqual(figures.recall.map((value) => expect.closeTo(value, 12) as unknown));
      expect([...precision.subarray(0, 20)]).toEqual(
        figures.precision.map((value) => expect.closeTo(value, 12) as unknown),
      );
    }
    const mean = names.reduce((sum, name) => sum + expected[name]![year], 0) / names.length;
    expect(fromComp4.score.mAP).toBeCloseTo(mean, 12);
  });
});

test('detections equal to the annotations score 1, in either form', async () => {
  const truth = {
    a: [{ name: 'dog', difficult: false, box: [1, 1, 1, 1] as const }], // one pixel
    b: [{ name: 'dog', difficult: false, box: [5, 6, 10, 20] as const }],
  };
  const root = writeVoc('perfect', truth);
  const json = [
    { image_id: 'a', category: 'dog', bbox: [0, 0, 1, 1], score: 0.9 },
    { image_id: 'b', category: 'dog', bbox: [4, 5, 6, 15], score: 0.8 },
  ];
  const comp4 = writeFolder(dir, 'perfect4', { 'comp4_det_test_dog.txt': 'a 0.9 1 1 1 1\nb 0.8 5 6 10 20' });
  for (const results of [comp4, writeJson('perfect.json', json)])
    expect((await score(root, results, 2012)).score).toEqual({ metric: 'voc', year: 2012, mAP: 1, AP: { dog: 1 } });
});

test('a second detection of an object is false, one of a difficult object counts neither way', async () => {
  const truth = {
    a: [
      { name: 'dog', difficult: false, box: [1, 1, 10, 10] as const },
      { name: 'dog', difficult: true, box: [101, 1, 110, 10] as const },
    ],
  };
  const root = writeVoc('twice', truth);
  const lines = ['a 0.9 101 1 110 10', 'a 0.8 1 1 10 10', 'a 0.7 1 1 10 10'];
  const { curves } = await score(
    root,
    writeFolder(dir, 'twice4', { 'comp4_det_test_dog.txt': lines.join('\n') }),
    2012,
  );
  expect([...curves.get('dog')!.precision]).toEqual([1, 0.5]);
});

test('IoU of exactly one half is none: the boxes count their last pixel', async () => {
  const root = writeVoc('half', { a: [{ name: 'dog', difficult: false, box: [1, 1, 10, 10] }] });
  const found = (x2: number) => writeFolder(dir, `half${x2}`, { 'comp4_det_test_dog.txt': `a 1 1 1 ${x2} 10` });
  expect((await score(root, found(5), 2012)).score.mAP).toBe(0); // 50 / 100
  expect((await score(root, found(6), 2012)).score.mAP).toBe(1);
});

test('a recall of 3/10 does not reach 0.3 for the eleven-point rule, as in the scripts', () => {
  const recall = Float64Array.from({ length: 3 }, (_, i) => (i + 1) / 10);
  const precision = Float64Array.of(1, 1, 1);
  expect(averagePrecision({ recall, precision }, 2007)).toBeCloseTo(3 / 11, 12);
});

test('a class of difficult objects only is −1 and not in the mean', async () => {
  const truth = {
    a: [
      { name: 'cat', difficult: true, box: [1, 1, 10, 10] as const },
      { name: 'dog', difficult: false, box: [1, 1, 10, 10] as const },
    ],
  };
  const results = writeJson('hard.json', [{ image_id: 'a', category: 'dog', bbox: [0, 0, 10, 10], score: 1 }]);
  expect((await score(writeVoc('hard', truth), results, 2007)).score).toMatchObject({ mAP: 1, AP: { cat: -1 } });
});

testOnShared('BCCD: its own annotations as detections score 1, one-pixel boxes included', 'bccd_voc', async (root) => {
  const truth = await readVocTruth(root, 'test');
  const rows = truth.images.flatMap(({ stem, objects }) =>
    objects.map(({ name, corners: [x1, y1, x2, y2] }) => ({
      image_id: stem,
      category: name,
      bbox: [x1 - 1, y1 - 1, x2 - x1 + 1, y2 - y1 + 1],
      score: 0.01,
    })),
  );
  const { score: result } = await score(root, writeJson('bccd.json', rows), 2007);
  expect(Object.keys(result.AP)).toEqual(['Platelets', 'RBC', 'WBC']);
  expect(result.mAP).toBeGreaterThan(0.99); // duplicates in the annotations keep it from 1
});

describe('what is wrong is located', () => {
  const root = writeVoc('wrong', { '000007': [{ name: 'dog', difficult: false, box: [1, 1, 10, 10] }] });
  const good = { image_id: '000007', category: 'dog', bbox: [0, 0, 10, 10], score: 1 };

  test.each([
    ['unknown image', [{ ...good, image_id: '8' }], 'E_VOC_IMAGE_ID', '[0]: image_id "8" is not in the split'],
    [
      'unknown category',
      [good, { ...good, category: undefined, category_id: 2 }],
      'E_VOC_CATEGORY',
      '[1]: category_id 2',
    ],
    ['negative size', [{ ...good, bbox: [0, 0, -1, 5] }], 'E_VOC_DETECTION', 'width of bbox is -1'],
    ['no score', [{ ...good, score: null }], 'E_VOC_DETECTION', 'score is null'],
    ['three numbers', [{ ...good, bbox: [0, 0, 1] }], 'E_VOC_DETECTION', 'bbox is [0,0,1]'],
    ['an object', good, 'E_VOC_DETECTION', 'is not a list of detections'],
    ['truncated', '[{"image_id": "000007"', 'E_COCO_JSON', 'wrong.json:1:'],
    ['NaN', '[{"score": NaN}]', 'E_COCO_NUMBER', 'wrong.json:1:'],
  ])('%s', async (_name, content, code, message) => {
    const file = writeJson('wrong.json', content);
    await expect(score(root, file, 2007)).rejects.toMatchObject({ code, message: expect.stringContaining(message) });
  });

  test.each([
    ['000007 0.5 1 2 3', 'E_VOC_LINE'],
    ['000007 nan 1 2 3 4', 'E_VOC_LINE'],
    ['000007 0.5 9 2 3 4', 'E_VOC_LINE'],
    ['x 0.5 1 2 3 4', 'E_VOC_IMAGE_ID'],
  ])('comp4 line %s', async (line, code) => {
    const folder = writeFolder(dir, `comp4-${code}`, { 'comp4_det_test_dog.txt': `000007 1 1 1 2 2\n${line}\n` });
    const where = { where: { file: join(folder, 'comp4_det_test_dog.txt'), line: 2 } };
    await expect(score(root, folder, 2007)).rejects.toMatchObject({ code, problems: [where] });
  });
});
