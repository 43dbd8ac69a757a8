import { expect, test } from '@jest/globals';
import type { ClassIndex } from '../../src/data/sample.js';
import { iou, xyxy } from '../../src/geometry/box.js';
import { tilesOf } from '../../src/geometry/tiles.js';
import type { Detection } from '../../src/tasks/detection/detector.js';
import { mergeDetections, type TileDetections } from '../../src/tasks/detection/mergeTiles.js';
import { mergeWords } from '../../src/tasks/text/mergeTiles.js';
import * as fc from '../fastCheck.js';

const image = { width: 2000, height: 1500 };
const tiling = { size: 640, overlap: 0.2 };
const selection = {
  scoreThreshold: 0.1,
  candidates: 400,
  nms: 'hard',
  nmsThreshold: 0.6,
  maxDetections: 100,
} as const;

type Box = Detection['box'];
interface Thing {
  readonly box: Box;
  readonly classIndex: ClassIndex;
}

/** What a perfect detector finds in each tile: the visible part of each object of which it sees enough. */
function seeInTiles(things: readonly Thing[]): TileDetections[] {
  return tilesOf(image, tiling).map((tile) => ({
    tile,
    found: things.flatMap(({ box, classIndex }): Detection[] => {
      const visible: Box = [
        Math.max(box[0], tile.left),
        Math.max(box[1], tile.top),
        Math.min(box[2], tile.left + tile.width),
        Math.min(box[3], tile.top + tile.height),
      ];
      const [w, h] = [visible[2] - visible[0], visible[3] - visible[1]];
      if (w < 8 || h < 8) return [];
      const share = (w * h) / ((box[2] - box[0]) * (box[3] - box[1]));
      return [{ imageId: 0, classIndex, box: visible, score: 0.5 + 0.4 * share }];
    }),
  }));
}

const merged = (parts: readonly TileDetections[]) =>
  mergeDetections(parts, image, selection, tiling.size * tiling.overlap);

/** Objects that do not overlap: one in each cell of a grid at most. */
const scene = fc
  .tuple(fc.constantFrom(100, 250, 500), fc.infiniteStream(fc.tuple(fc.boolean(), fc.nat(20), fc.nat(20), fc.nat(1))))
  .map(([cell, stream]) => {
    const things: Thing[] = [];
    for (let y = 0; y + cell <= image.height; y += cell)
      for (let x = 0; x + cell <= image.width; x += cell) {
        const [isThere, dx, dy, classIndex] = stream.next().value as [boolean, number, number, number];
        const box: Box = [x + 5 + dx, y + 5 + dy, x + cell - 5 - dy, y + cell - 5 - dx];
        if (isThere) things.push({ box, classIndex: classIndex as ClassIndex });
      }
    return things.slice(0, 60);
  });

test('each object is found once and whole, whichever seams cut it', () => {
  fc.assert(
    fc.property(scene, (things) => {
      const found = merged(seeInTiles(things));
      expect(found).toHaveLength(things.length);
      for (const { box, classIndex } of things) {
        const same = found.filter((one) => one.classIndex === classIndex && iou(xyxy(one.box), 0, xyxy(box), 0) > 0.98);
        expect(same).toHaveLength(1);
      }
    }),
    { numRuns: 50 },
  );
});

const thing = (box: Box): Thing => ({ box, classIndex: 0 as ClassIndex });

test('an object that is larger than a tile is put together of its parts', () => {
  const box: Box = [100, 200, 1900, 1300];
  const found = merged(seeInTiles([thing(box)]));
  expect(found.map((one) => one.box)).toEqual([box]);
});

test('the view of the whole image adds what no tile shows whole, and nothing else', () => {
  const [large, small]: [Box, Box] = [
    [100, 200, 1900, 1300],
    [50, 50, 90, 90],
  ];
  const whole = { tile: undefined, found: [large, small].map((box) => ({ ...thing(box), imageId: 0, score: 0.9 })) };
  expect(merged([whole, ...seeInTiles([])]).map((one) => one.box)).toEqual([large]);
  expect(merged([whole, ...seeInTiles([thing(large)])]).map((one) => one.box)).toEqual([large]);
});

test('a weak box around a part that is cut does not hide it', () => {
  const box: Box = [500, 100, 640, 300]; // ends at the seam
  const [tile] = tilesOf(image, tiling) as [TileDetections['tile']];
  const weak: Box = [480, 90, 635, 310];
  const of = (corners: Box, score: number) => ({ imageId: 0, classIndex: 0 as ClassIndex, box: corners, score });
  const found = merged([
    { tile, found: [of(box, 0.9)] },
    { tile: { ...tile!, left: 400 }, found: [of(weak, 0.2)] },
  ]);
  expect(found[0]!.score).toBeCloseTo(0.9);
});

test('the best come first, and no more than the detector returns', () => {
  const things = Array.from({ length: 120 }, (_, i) =>
    thing([(i % 20) * 95, Math.floor(i / 20) * 95, (i % 20) * 95 + 60, Math.floor(i / 20) * 95 + 60]),
  );
  const found = merged(seeInTiles(things));
  expect(found).toHaveLength(selection.maxDetections);
  expect(found.map(({ score }) => score)).toEqual(found.map(({ score }) => score).sort((a, b) => b - a));
});

test('a word across a seam is one word, and one that two tiles show is not doubled', () => {
  const tiles = tilesOf(image, tiling).filter(({ top }) => top === 0);
  const words: Box[] = [
    [300, 100, 1100, 160], // longer than a tile
    [40, 300, 120, 330],
    [560, 300, 620, 330], // in two tiles
  ];
  const parts = tiles.map((tile) => ({
    tile,
    found: words.flatMap(([x1, y1, x2, y2]) => {
      const [left, right] = [Math.max(x1, tile.left), Math.min(x2, tile.left + tile.width)];
      return right - left < 8 ? [] : [{ outline: [left, y1, right, y1, right, y2, left, y2], score: 0.8 }];
    }),
  }));
  const found = mergeWords(parts, image).map(({ outline }) => {
    const [xs, ys] = [0, 1].map((axis) => outline.filter((_, i) => i % 2 === axis)) as [number[], number[]];
    return [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)].map(Math.round);
  });
  expect(found.sort((a, b) => a[1]! - b[1]! || a[0]! - b[0]!)).toEqual(words);
});
