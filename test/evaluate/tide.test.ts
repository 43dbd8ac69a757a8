import { describe, expect, test } from '@jest/globals';
import * as fc from '../fastCheck.js';
import { readFileSync } from 'node:fs';
import { COCO, type CocoDataset, type CocoResult } from '../../src/pycocotools/index.js';
import { boxImages, type BoxImage } from '../../src/evaluate/boxImages.js';
import { confusionMatrix } from '../../src/evaluate/confusion.js';
import { analyseErrors, ERROR_KINDS, type ErrorKind } from '../../src/evaluate/tide.js';

interface Golden {
  readonly seed: number;
  readonly truth: CocoDataset;
  readonly results: readonly CocoResult[];
  readonly tide: {
    readonly AP: number;
    readonly count: Readonly<Record<ErrorKind, number>>;
    readonly dAP: Readonly<Record<ErrorKind, number>>;
    readonly special: { readonly FalsePos: number; readonly FalseNeg: number };
  };
}
const goldens = JSON.parse(readFileSync('test/fixtures/tide/tide.json', 'utf8')) as Golden[];
const read = ({ truth, results }: Golden) => {
  const gt = new COCO(truth);
  return boxImages(gt, gt.loadRes([...results]));
};

describe('analyseErrors', () => {
  test.each(goldens.map((golden) => [golden.seed, golden] as const))('equals tidecv, seed %i', (_, golden) => {
    const { AP, errors, falsePositives, falseNegatives } = analyseErrors(read(golden).images);
    const { tide } = golden;
    expect(Object.fromEntries(ERROR_KINDS.map((kind) => [kind, errors[kind].count]))).toEqual(tide.count);
    expect(100 * AP).toBeCloseTo(tide.AP, 9);
    for (const kind of ERROR_KINDS) expect([kind, (100 * errors[kind].dAP).toFixed(9)]).toEqual([kind, tide.dAP[kind].toFixed(9)]); // prettier-ignore
    expect(100 * falsePositives).toBeCloseTo(tide.special.FalsePos, 9);
    expect(100 * falseNegatives).toBeCloseTo(tide.special.FalseNeg, 9);
  });

  test('the fixtures hold every kind of error, and ignored regions', () => {
    for (const kind of ERROR_KINDS) expect(goldens.filter(({ tide }) => tide.dAP[kind] > 0).length).toBeGreaterThan(2);
    expect(goldens.some(({ truth }) => truth.annotations!.some(({ iscrowd }) => iscrowd === 1))).toBe(true);
  });

  test('has nothing to say of a perfect detector, nor of nothing', () => {
    const truth = [{ category: 0, bbox: [1, 1, 5, 5], ignore: false }] as const;
    const perfect = analyseErrors([{ truth, detections: [{ category: 0, bbox: [1, 1, 5, 5], score: 0.5 }] }]);
    expect(perfect.AP).toBe(1);
    for (const kind of ERROR_KINDS) expect(perfect.errors[kind]).toEqual({ count: 0, dAP: 0 });
    expect(analyseErrors([]).AP).toBe(-1);
    expect(analyseErrors([{ truth, detections: [] }]).errors.Miss.count).toBe(1);
  });
});

describe('confusionMatrix', () => {
  const box = fc.tuple(fc.nat(40), fc.nat(40), fc.integer({ min: 1, max: 30 }), fc.integer({ min: 1, max: 30 }));
  const category = fc.nat(2);
  const image: fc.Arbitrary<BoxImage> = fc.record({
    truth: fc.array(fc.record({ category, bbox: box, ignore: fc.boolean() }), { maxLength: 6 }),
    detections: fc.array(fc.record({ category, bbox: box, score: fc.double({ min: 0, max: 1, noNaN: true }) }), {
      maxLength: 6,
    }),
  });

  test('a row adds up to the objects of its class, a column to no more than its detections', () => {
    fc.assert(
      fc.property(fc.array(image, { maxLength: 4 }), (images) => {
        const { counts } = confusionMatrix({ names: ['a', 'b', 'c'], images }, 0.5);
        for (const k of [0, 1, 2]) {
          const objects = images.flatMap(({ truth }) =>
            truth.filter((object) => object.category === k && !object.ignore),
          );
          const found = images.flatMap(({ detections }) =>
            detections.filter((row) => row.category === k && row.score >= 0.5),
          );
          expect(counts[k]!.reduce((a, b) => a + b)).toBe(objects.length);
          expect(counts.reduce((sum, row) => sum + row[k]!, 0)).toBeLessThanOrEqual(found.length);
        }
      }),
    );
  });

  test('an object is taken by its own class before a better scored other one', () => {
    const bbox = [0, 0, 10, 10] as const;
    const images: BoxImage[] = [
      {
        truth: [{ category: 0, bbox, ignore: false }],
        detections: [
          { category: 1, bbox, score: 0.9 },
          { category: 0, bbox, score: 0.6 },
        ],
      },
      { truth: [{ category: 0, bbox, ignore: false }], detections: [{ category: 1, bbox, score: 0.9 }] },
      { truth: [{ category: 1, bbox, ignore: true }], detections: [{ category: 1, bbox, score: 0.9 }] },
    ];
    expect(confusionMatrix({ names: ['a', 'b'], images }, 0.5).counts).toEqual([
      [1, 1, 0],
      [0, 0, 0],
      [0, 1, 0],
    ]);
  });
});
