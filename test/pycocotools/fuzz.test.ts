import { expect, test } from '@jest/globals';
import * as fc from '../fastCheck.js';
import { COCO, COCOeval, type CocoDataset, type CocoResult } from '../../src/pycocotools/index.js';

const outline = [[1, 1, 6, 1, 6, 6]];
const dataset = {
  images: [{ id: 1, width: 20, height: 10 }, { id: 2, width: 20, height: 10 }], // prettier-ignore
  categories: [{ id: 1, name: 'dog' }, { id: 3, name: 'cat' }], // prettier-ignore
  annotations: [
    {
      id: 1,
      image_id: 1,
      category_id: 1,
      bbox: [0, 0, 5, 5],
      area: 25,
      iscrowd: 0,
      segmentation: outline,
      keypoints: Array(51).fill(2),
    },
    {
      id: 2,
      image_id: 2,
      category_id: 3,
      bbox: [1, 1, 9, 9],
      area: 81,
      iscrowd: 1,
      segmentation: { size: [10, 20], counts: [10, 90, 100] },
      keypoints: Array(51).fill(0),
    },
  ],
};
const results = [
  {
    image_id: 1,
    category_id: 1,
    bbox: [0, 0, 5, 5],
    score: 0.5,
    segmentation: { size: [10, 20], counts: '0d06' },
    keypoints: Array(51).fill(3),
  },
  { image_id: 2, category_id: 3, bbox: [0, 0, 5, 5], score: 0.5, segmentation: outline, keypoints: Array(51).fill(1) },
];

const nasty = fc.oneof(
  fc.constantFrom(
    undefined,
    null,
    '',
    'x',
    '9',
    [],
    {},
    [null],
    true,
    -1,
    0,
    1.5,
    1e300,
    NaN,
    Infinity,
    2 ** 53,
    [[]],
    [[1, 2]],
    { size: [1, 1] },
  ),
  fc.jsonValue({ maxDepth: 2 }),
);

/** The document with one value, found by a walk through random keys, replaced. */
function replaced(value: unknown, walk: readonly number[], by: unknown): unknown {
  const [step, ...rest] = walk;
  if (step === undefined || typeof value !== 'object' || value === null) return by;
  const keys = Object.keys(value);
  const key = keys[step % Math.max(1, keys.length)];
  if (key === undefined) return by;
  const copy = (Array.isArray(value) ? [...(value as unknown[])] : { ...value }) as Record<string, unknown>;
  copy[key] = replaced(copy[key], rest, by);
  return copy;
}

test.each(['bbox', 'segm', 'keypoints'] as const)('undamaged, the document gives numbers: %s', (iouType) => {
  const gt = new COCO(dataset as unknown as CocoDataset);
  const run = new COCOeval(gt, gt.loadRes(results as unknown as CocoResult[]), iouType);
  run.evaluate();
  run.accumulate();
  expect(run.summarize()[0]).toBeGreaterThanOrEqual(0);
});

/** A fixed budget: whatever one value is replaced by, the answer is numbers or a CocoError. */
test('a damaged document never ends in a TypeError, a hang or NaN', () => {
  const walk = fc.array(fc.nat(60), { minLength: 1, maxLength: 5 });
  const kinds = fc.constantFrom('bbox', 'segm', 'keypoints');
  fc.assert(
    fc.property(walk, nasty, fc.boolean(), fc.boolean(), kinds, (path, value, inResults, lenient, iouType) => {
      try {
        const gt = new COCO((inResults ? dataset : replaced(dataset, path, value)) as CocoDataset, { lenient });
        const dt = gt.loadRes((inResults ? replaced(results, path, value) : results) as CocoResult[], { lenient });
        const run = new COCOeval(gt, dt, iouType);
        run.evaluate();
        run.accumulate();
        expect(run.summarize().every((stat) => stat === -1 || (stat >= 0 && stat <= 1))).toBe(true);
      } catch (error) {
        expect(error).toMatchObject({ name: 'CocoError', code: expect.stringMatching(/^E_COCO_/) });
      }
    }),
    { numRuns: 3000 },
  );
});
