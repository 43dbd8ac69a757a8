import { describe, expect, test } from '@jest/globals';
import * as fc from '../../fastCheck.js';
import { xyxy } from '../../../src/geometry/box.js';
import { randomStream } from '../../../src/random.js';
import { clusterShapes, fitAnchors, shapeIou } from '../../../src/tasks/detection/fitAnchors.js';

type Shape = readonly [number, number];
const side = fc.double({ min: 1, max: 500, noNaN: true });
const shapes = fc.array(fc.tuple(side, side), { minLength: 1, maxLength: 40 });
const clusters = (all: readonly Shape[], k: number) => clusterShapes(all, k, randomStream(1, 'anchors'));
const meanIou = (all: readonly Shape[], centres: readonly Shape[]) =>
  all.reduce((sum, shape) => sum + Math.max(...centres.map((centre) => shapeIou(shape, centre))), 0) / all.length;

describe('k-means by IoU', () => {
  test('gives at most k shapes, by their area, inside the range of the boxes, the same each time', () => {
    fc.assert(
      fc.property(shapes, fc.integer({ min: 1, max: 9 }), (all, k) => {
        const centres = clusters(all, k);
        expect(centres.length).toBeLessThanOrEqual(k);
        expect(centres.map(([w, h]) => w * h)).toEqual(centres.map(([w, h]) => w * h).sort((a, b) => a - b));
        for (const axis of [0, 1] as const) {
          const values = all.map((shape) => shape[axis]);
          for (const centre of centres) {
            expect(centre[axis]).toBeGreaterThanOrEqual(Math.min(...values) - 1e-9);
            expect(centre[axis]).toBeLessThanOrEqual(Math.max(...values) + 1e-9);
          }
        }
        expect(clusters(all, k)).toEqual(centres);
      }),
    );
  });

  test('fits no worse than what it starts from', () => {
    fc.assert(
      fc.property(shapes, fc.integer({ min: 1, max: 5 }), (all, k) => {
        const first = all[randomStream(1, 'anchors').integer(0, all.length)]!; // k-means++ draws a box first
        expect(meanIou(all, clusters(all, k))).toBeGreaterThanOrEqual(meanIou(all, [first]) - 1e-9);
      }),
    );
  });

  test('with a centre for every different box all fit exactly', () => {
    fc.assert(
      fc.property(shapes, (all) => {
        expect(meanIou(all, clusters(all, all.length))).toBeGreaterThan(1 - 1e-5);
      }),
    );
  });

  test('does not depend on the unit', () => {
    fc.assert(
      fc.property(shapes, fc.integer({ min: 1, max: 4 }), (all, k) => {
        const doubled = all.map(([w, h]): Shape => [2 * w, 2 * h]); // a power of two: the same roundings
        expect(clusters(doubled, k)).toEqual(clusters(all, k).map(([w, h]) => [2 * w, 2 * h]));
      }),
    );
  });

  test('finds two kinds of boxes, however many there are of each', () => {
    const many = (count: number, of: (i: number) => Shape): Shape[] => Array.from({ length: count }, (_, i) => of(i));
    const all = [...many(90, (i) => [10 + (i % 3), 20]), ...many(20, (i) => [200 + 20 * (i % 2), 100])];
    const [small, large] = clusters(all, 2);
    expect(small).toEqual([expect.closeTo(11, 9), expect.closeTo(20, 9)]);
    expect(large![0]).toBeGreaterThanOrEqual(200);
    expect(large![1]).toBeCloseTo(100, 9);
  });
});

describe('levels', () => {
  const level = (cells: number) =>
    ({ grid: { height: cells, width: cells }, step: [320 / cells, 320 / cells], offset: 0.5, shapes: [] }) as const;
  const levels = [level(40), level(20), level(10)];
  const square = (side: number) => [0, 0, side, side];
  const fit = (boxes: readonly number[], counts: readonly number[]) =>
    fitAnchors(
      levels,
      { boxes: xyxy(boxes) },
      { counts, size: [320, 320], placement: 0.5 },
      randomStream(1, 'anchors'),
    );

  test('a box belongs to the coarsest level that is fine enough for it', () => {
    // Anchors of a box's shape reach IoU 0.5 with it wherever it lies if its side is 2.73 strides or more: 22, 44, 87 pixels.
    const boxes = [10, 43, 45, 86, 88, 320].flatMap(square);
    const sides = fit(boxes, [9, 9, 9]).map((shapes) => shapes.map(([w]) => Math.round(w * 320)));
    expect(sides).toEqual([[10, 43], [45, 86], [88, 320]]); // prettier-ignore
  });

  test('a level without boxes, or without anchors to give, stays empty', () => {
    expect(fit(square(30), [3, 3, 3]).map(({ length }) => length)).toEqual([1, 0, 0]);
    expect(fit([...square(10), ...square(60), ...square(300)], [0, 1, 1]).map(({ length }) => length)).toEqual([
      0, 1, 1,
    ]);
  });
});
