import { describe, expect, test } from '@jest/globals';
import * as fc from '../fastCheck.js';
import { mask } from '../../src/pycocotools/index.js';
import { readFixture, type MaskCases } from './fixtures.js';

const golden = readFixture('masks') as MaskCases;

describe('codes are the strings of pycocotools', () => {
  test.each(golden.polygons.map((polygon, i) => [i, polygon] as const))('polygon %i', (_, { xy, h, w, rle }) => {
    expect(mask.frPyObjects(xy, h, w)).toEqual({ size: [h, w], counts: rle });
    expect(mask.frPyObjects([xy], h, w)).toEqual([{ size: [h, w], counts: rle }]);
  });

  test('boxes', () => {
    for (const { box, h, w, rle } of golden.boxes) expect(mask.frPyObjects(box, h, w).counts).toBe(rle);
  });

  test('bitmaps, both ways', () => {
    for (const { bits, h, w, rle, area, bbox } of golden.bitmaps) {
      const data = Uint8Array.from(bits, Number);
      const code = mask.encode({ height: h, width: w, data });
      expect(code).toEqual({ size: [h, w], counts: rle });
      expect(mask.decode(code)).toEqual({ height: h, width: w, data });
      expect(mask.area(code)).toBe(area);
      expect(mask.toBbox(code)).toEqual(bbox);
    }
  });

  test('uncompressed run lengths, empty runs among them', () => {
    for (const { counts, rle, area, bbox } of golden.counts) {
      const code = mask.frPyObjects({ size: [10, 10], counts }, 10, 10);
      expect(code.counts).toBe(rle);
      expect(mask.area(code)).toBe(area);
      expect(mask.toBbox(code)).toEqual(bbox);
    }
  });
});

describe('operations on codes', () => {
  test.each(golden.groups.map((group, i) => [i, group] as const))('group %i', (_, group) => {
    expect(mask.merge(group.rles)).toEqual(group.union);
    expect(mask.merge(group.rles.slice(0, 2), true)).toEqual(group.intersection);
    expect(mask.area(group.rles)).toEqual(group.area);
    expect(mask.toBbox(group.rles)).toEqual(group.bbox);
    expect([...mask.iou(group.rles.slice(3), group.rles.slice(0, 3), group.crowd)]).toEqual(group.iou.flat());
  });

  test('IoU of boxes', () => {
    const { dt, gt, crowd, iou } = golden.boxIou;
    expect([...mask.iou(dt, gt, crowd)]).toEqual(iou.flat());
  });

  test('nothing in, nothing out', () => {
    expect(mask.merge([])).toEqual({ size: [0, 0], counts: '' });
    expect(mask.iou([[0, 0, 1, 1]], [], [])).toHaveLength(0);
  });
});

const bitmap = fc
  .tuple(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 1, max: 30 }))
  .chain(([height, width]) =>
    fc
      .array(fc.integer({ min: 0, max: 1 }), { minLength: height * width, maxLength: height * width })
      .map((bits) => ({ height, width, data: Uint8Array.from(bits) })),
  );

describe('properties', () => {
  test('decode undoes encode; area and bbox are those of the pixels', () => {
    fc.assert(
      fc.property(bitmap, (m) => {
        const code = mask.encode(m);
        const xs = [...m.data.keys()].filter((i) => m.data[i]).map((i) => Math.floor(i / m.height));
        expect(mask.decode(code)).toEqual(m);
        expect(mask.area(code)).toBe(xs.length);
        expect(mask.iou([code], [code], [0])[0]).toBe(xs.length > 0 ? 1 : 0);
        if (xs.length > 0) expect(mask.toBbox(code)[0]).toBe(Math.min(...xs));
        expect(mask.fromRowMajor(mask.toRowMajor(m), m.height, m.width)).toEqual(m);
      }),
    );
  });

  test('damaged codes are E_COCO_RLE or decode, nothing else', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary-ascii', maxLength: 12 }), fc.nat(40), fc.nat(40), (counts, h, w) => {
        try {
          mask.decode({ size: [h, w], counts });
        } catch (error) {
          expect(error).toMatchObject({ name: 'CocoError', code: 'E_COCO_RLE' });
        }
      }),
    );
  });
});

describe('bad input', () => {
  test.each([
    ['E_COCO_RLE', 'a run too long', () => mask.decode({ size: [2, 2], counts: '9' })],
    [
      'E_COCO_RLE',
      'runs of ten billion pixels',
      () => mask.decode(mask.frPyObjects({ size: [1e5, 1e5], counts: [4e9, 4e9, 2e9] }, 1, 1)),
    ],
    ['E_COCO_MASK', 'an image of ten billion pixels', () => mask.frPyObjects([1, 2, 3, 4, 5, 6], 1e5, 1e5)],
    ['E_COCO_RLE', 'an unfinished number', () => mask.area({ size: [2, 2], counts: '1P' })],
    ['E_COCO_RLE', 'a foreign character', () => mask.area({ size: [2, 2], counts: '1é' })],
    ['E_COCO_RLE', 'a fraction of a pixel', () => mask.frPyObjects({ size: [2, 2], counts: [0.5] }, 2, 2)],
    ['E_COCO_POLYGON', 'two points', () => mask.frPyObjects([[1, 2, 3, 4, 5]], 9, 9)],
    ['E_COCO_POLYGON', 'NaN', () => mask.frPyObjects([1, 2, 3, NaN, 5, 6], 9, 9)],
    ['E_COCO_POLYGON', 'a point at the end of the world', () => mask.frPyObjects([1, 2, 3, 1e300, 5, 6], 9, 9)],
    ['E_COCO_MASK', 'too few pixels', () => mask.encode({ height: 2, width: 2, data: new Uint8Array(3) })],
    ['E_COCO_MASK', 'labels', () => mask.encode({ height: 1, width: 2, data: Uint8Array.of(1, 2) })],
    ['E_COCO_MASK', 'two sizes', () => mask.merge([{ size: [1, 2], counts: '2' }, { size: [2, 1], counts: '2' }])], // prettier-ignore
    ['E_COCO_MASK', 'too few crowd flags', () => mask.iou([[0, 0, 1, 1]], [[0, 0, 1, 1]], [])],
  ])('%s: %s', (code, _, run) => {
    expect(run).toThrow(expect.objectContaining({ name: 'CocoError', code }));
  });
});
