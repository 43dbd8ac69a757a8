import { describe, expect, test } from '@jest/globals';
import * as fc from '../fastCheck.js';
import { planAugmentation } from '../../src/data/pipeline/augment/augment.js';
import { frameImage, placeBoxes, placementOf } from '../../src/data/image/frame.js';
import type { BoxAnnotation, ClassIndex } from '../../src/data/sample.js';
import { iou, xyxy } from '../../src/geometry/box.js';
import { randomStream } from '../../src/random.js';

const unit = fc.integer({ min: 0, max: 1000 }).map((x) => x / 1000); // fc.double draws values near 0 and 1 too often
/** Images of 20…700 pixels with up to eight objects of at least two pixels, some ignored. */
const annotation: fc.Arbitrary<BoxAnnotation> = fc
  .record({
    width: fc.integer({ min: 20, max: 700 }),
    height: fc.integer({ min: 20, max: 700 }),
    rows: fc.array(fc.tuple(unit, unit, unit, unit, fc.boolean()), { maxLength: 8 }),
  })
  .map(({ width, height, rows }) => {
    const corners = rows.flatMap(([x, y, w, h]) => {
      const [x1, y1] = [x * (width - 2), y * (height - 2)];
      return [x1, y1, x1 + 2 + w * (width - 2 - x1), y1 + 2 + h * (height - 2 - y1)];
    });
    return {
      kind: 'boxes',
      imageId: 1,
      file: 'none',
      width,
      height,
      boxes: xyxy(corners),
      classes: rows.map((_, i) => i as ClassIndex),
      ignore: rows.map((row) => row[4]),
    };
  });
const seed = fc.integer({ min: 0, max: 0xffffffff });
const everything = { flip: 0.5, photometric: true, expand: 0.5, iouCrop: true };
const plan = (image: BoxAnnotation, seed: number, options: Parameters<typeof planAugmentation>[1] = everything) =>
  planAugmentation(image, options, randomStream(seed, 'test'));
const rows = (image: BoxAnnotation, kept: readonly number[]) =>
  xyxy(kept.flatMap((i) => Array.from(image.boxes.subarray(4 * i, 4 * i + 4))));

describe('planAugmentation', () => {
  test('is a function of its stream', () => {
    fc.assert(fc.property(annotation, seed, (image, seed) => expect(plan(image, seed)).toEqual(plan(image, seed))));
  });

  test('keeps just the objects whose centre is on the patch, and ignored ones that show at all', () => {
    fc.assert(
      fc.property(annotation, seed, (image, seed) => {
        const { patch, kept } = plan(image, seed);
        const [right, bottom] = [patch.left + patch.width, patch.top + patch.height];
        image.ignore.forEach((ignored, i) => {
          const [x1, y1, x2, y2] = image.boxes.subarray(4 * i) as unknown as [number, number, number, number];
          const [cx, cy] = [(x1 + x2) / 2, (y1 + y2) / 2];
          const shows = x2 > patch.left && x1 < right && y2 > patch.top && y1 < bottom;
          const centred = cx > patch.left && cx < right && cy > patch.top && cy < bottom;
          expect(kept.includes(i)).toBe(ignored ? shows : centred);
        });
      }),
    );
  });

  test('leaves every kept box inside the input, where the whole of it would be if it were seen', () => {
    fc.assert(
      fc.property(
        annotation,
        seed,
        fc.constantFrom('stretch' as const, 'letterbox' as const),
        (image, seed, resize) => {
          const { patch, flip, kept } = plan(image, seed);
          const frame = frameImage(image, { size: [96, 128], resize, patch, flip });
          const placed = placeBoxes(rows(image, kept), frame);
          for (let i = 0; i < placed.length; i += 4) {
            expect(placed[i]!).toBeGreaterThanOrEqual(0);
            expect(placed[i + 1]!).toBeGreaterThanOrEqual(0);
            expect(placed[i + 2]!).toBeLessThanOrEqual(128);
            expect(placed[i + 3]!).toBeLessThanOrEqual(96);
          }
          // A centre that is on the patch lands on the input, but for rounding.
          const { scaleX, scaleY, offsetX, offsetY } = placementOf(frame);
          for (const i of kept.filter((row) => !image.ignore[row])) {
            const [x1, y1, x2, y2] = image.boxes.subarray(4 * i) as unknown as [number, number, number, number];
            expect(Math.abs(((x1 + x2) / 2) * scaleX + offsetX - 64)).toBeLessThanOrEqual(64 + Math.abs(scaleX) + 1);
            expect(Math.abs(((y1 + y2) / 2) * scaleY + offsetY - 48)).toBeLessThanOrEqual(48 + scaleY + 1);
          }
        },
      ),
    );
  });

  test('crops with sides 0.3…1, aspect ½…2, inside the image, with an object of enough IoU; none without objects', () => {
    fc.assert(
      fc.property(annotation, seed, (image, seed) => {
        const { patch } = plan(image, seed, { iouCrop: true });
        const whole = patch.width === image.width && patch.height === image.height;
        const objects = image.ignore.flatMap((ignored, i) => (ignored ? [] : [i]));
        if (objects.length === 0) expect(whole).toBe(true);
        if (whole) return;
        const aspect = patch.width / patch.height;
        expect(aspect).toBeGreaterThanOrEqual(0.5 - 1e-9);
        expect(aspect).toBeLessThanOrEqual(2 + 1e-9);
        expect(patch.width).toBeGreaterThanOrEqual(0.3 * image.width - 1e-9);
        expect(patch.height).toBeGreaterThanOrEqual(0.3 * image.height - 1e-9);
        expect(patch.left).toBeGreaterThanOrEqual(0);
        expect(patch.top).toBeGreaterThanOrEqual(0);
        expect(patch.left + patch.width).toBeLessThanOrEqual(image.width + 1e-9);
        expect(patch.top + patch.height).toBeLessThanOrEqual(image.height + 1e-9);
        const crop = xyxy([patch.left, patch.top, patch.left + patch.width, patch.top + patch.height]);
        const best = Math.max(...objects.map((i) => iou(crop, 0, image.boxes, i)));
        expect(best).toBeGreaterThan(0);
      }),
      { numRuns: 600 },
    );
  });

  test('draws each least IoU as often as the others', () => {
    const image: BoxAnnotation = {
      ...{
        kind: 'boxes',
        imageId: 1,
        file: 'none',
        width: 200,
        height: 200,
        classes: [0 as ClassIndex],
        ignore: [false],
      },
      boxes: xyxy([40, 40, 160, 160]),
    };
    const ious = Array.from({ length: 2000 }, (_, seed) => {
      const { left, top, width, height } = plan(image, seed, { iouCrop: true }).patch;
      return width === 200 && height === 200
        ? -1
        : iou(xyxy([left, top, left + width, top + height]), 0, image.boxes, 0);
    });
    const share = (test: (iou: number) => boolean) => ious.filter(test).length / ious.length;
    expect(share((iou) => iou < 0)).toBeGreaterThan(1 / 8); // the whole image: one of seven choices, and the fallback when no crop with IoU 0.9 is found
    expect(share((iou) => iou < 0)).toBeLessThan(1 / 5);
    expect(share((iou) => iou >= 0.7)).toBeGreaterThan(1 / 7);
    expect(share((iou) => iou >= 0 && iou < 0.3)).toBeGreaterThan(0.005); // only where 0 or 0.1 was drawn
  });

  test('expands to a canvas 1…4 times as large that holds the image', () => {
    fc.assert(
      fc.property(annotation, seed, (image, seed) => {
        const { patch, kept } = plan(image, seed, { expand: 1 });
        const ratio = patch.width / image.width;
        expect(ratio).toBeGreaterThanOrEqual(1);
        expect(ratio).toBeLessThan(4);
        expect(patch.height / image.height).toBeCloseTo(ratio, 9);
        expect(patch.left).toBeLessThanOrEqual(0);
        expect(patch.left + patch.width).toBeGreaterThanOrEqual(image.width - 1e-6);
        expect(patch.top + patch.height).toBeGreaterThanOrEqual(image.height - 1e-6);
        expect(kept).toHaveLength(image.classes.length);
      }),
    );
  });

  test('does nothing that is not asked for', () => {
    fc.assert(
      fc.property(annotation, seed, (image, seed) => {
        expect(plan(image, seed, {})).toEqual({
          patch: { left: 0, top: 0, width: image.width, height: image.height },
          flip: false,
          distortion: undefined,
          kept: image.classes.map((_, i) => i),
        });
        expect(plan(image, seed, { flip: 1 }).flip).toBe(true);
      }),
    );
  });
});
