import { expect, test } from '@jest/globals';
import { viewsOf } from '../../src/data/views.js';
import { frameImage, placementOf } from '../../src/data/image/frame.js';
import type { BoxAnnotation, Dataset } from '../../src/data/sample.js';
import { xyxy } from '../../src/geometry/box.js';

const annotation = (boxes: readonly number[], width = 100, height = 60): BoxAnnotation => ({
  kind: 'boxes',
  imageId: 1,
  file: '/a.jpg',
  width,
  height,
  boxes: xyxy(boxes),
  classes: Array.from({ length: boxes.length / 4 }, () => 0) as unknown as BoxAnnotation['classes'],
  ignore: Array.from({ length: boxes.length / 4 }, () => false),
});

const dataset = (...annotations: BoxAnnotation[]): Dataset => ({
  name: 'part',
  categories: [],
  annotations,
  dropped: {},
  toCoco: () => ({ images: [], categories: [], annotations: [] }),
});

const tiles = { size: 60, overlap: 0.2 }; // of 100 × 60 pixels: from 0 and from 40

test('an image that is larger than a tile has its tiles as views, and itself', () => {
  const { annotations } = viewsOf(dataset(annotation([])), tiles);
  expect(annotations.map(({ view }) => view && [view.left, view.top, view.width, view.height])).toEqual([
    [0, 0, 60, 60],
    [40, 0, 60, 60],
    undefined,
  ]);
});

test('an image that fits into a tile, and a part without tiles, stay as they are', () => {
  const small = dataset(annotation([0, 0, 10, 10], 60, 40));
  expect(viewsOf(small, tiles).annotations).toEqual(small.annotations);
  expect(viewsOf(small, undefined)).toBe(small);
});

test('a tile has the visible parts of objects; those that are hidden for the most part are ignored', () => {
  const boxes = [
    ...[5, 5, 15, 15], // in the first tile alone
    ...[45, 5, 55, 15], // in both
    ...[50, 20, 70, 30], // cut in half by the edge of the first
    ...[57, 40, 77, 50], // 3 of 20 columns in the first
  ];
  const [first, second] = viewsOf(dataset(annotation(boxes)), tiles).annotations;
  expect([...first!.boxes]).toEqual([5, 5, 15, 15, 45, 5, 55, 15, 50, 20, 60, 30, 57, 40, 60, 50]);
  expect(first!.ignore).toEqual([false, false, false, true]);
  expect([...second!.boxes]).toEqual([45, 5, 55, 15, 50, 20, 70, 30, 57, 40, 77, 50]);
  expect(second!.ignore).toEqual([false, false, false]);
});

test('repeats and old images count views', () => {
  const part = { ...dataset(annotation([]), annotation([], 50, 50)), repeat: Float64Array.of(2, 3) };
  const views = viewsOf({ ...part, old: { from: 1, share: 0.5 } }, tiles);
  expect([...views.repeat!]).toEqual([2, 2, 2, 3]);
  expect(views.old).toEqual({ from: 3, share: 0.5 });
});

test('a view is padded where it ends, not with its neighbours', () => {
  const view = { left: 40, top: 0, width: 60, height: 60 };
  const frame = frameImage(annotation([]), { size: [120, 120], view, patch: { ...view, left: 10, width: 120 } });
  expect(frame.region).toEqual({ left: 40, top: 0, width: 60, height: 60 });
  expect(frame.target).toMatchObject({ left: 30, width: 60 });
  const { scaleX, offsetX } = placementOf(frameImage(annotation([]), { size: [60, 60], view }));
  expect([scaleX, offsetX]).toEqual([1, -40]);
});
