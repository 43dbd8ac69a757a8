import { expect, test } from '@jest/globals';
import type { TextWord } from '../../../src/data/sample.js';
import { loadFaces } from '../../../src/data/synthetic/text/fonts.js';
import { drawTextScene } from '../../../src/data/synthetic/text/textScene.js';
import { polygonIou, region } from '../../../src/geometry/polygon.js';
import { randomStream } from '../../../src/random.js';
import { affinityQuad, gaussianMaps } from '../../../src/tasks/text/gaussianMap.js';
import { textBoxes } from '../../../src/tasks/text/textBoxes.js';

const square = (x: number, y: number, side: number): number[] => [x, y, x + side, y, x + side, y + side, x, y + side];
const word = (characters: readonly number[][], more: Partial<TextWord> = {}): TextWord => ({
  text: 'ab',
  outline: square(0, 0, 10),
  characters,
  dontCare: false,
  ...more,
});

test('a character is a Gaussian of half its side in deviations, in perspective', () => {
  const { region: map } = gaussianMaps([word([square(20, 10, 40)])], 48, 32);
  const at = (x: number, y: number): number => map[y * 48 + x]!; // cell (x, y) has its middle at 2x + 1, 2y + 1
  expect(at(19, 14)).toBeCloseTo(Math.exp(-2 * 2 * 0.05 ** 2), 2);
  expect(at(10, 14)).toBeCloseTo(Math.exp(-2 * ((19 / 20) ** 2 + 0.05 ** 2)), 2);
  expect(at(2, 14)).toBe(0);
  // The middle of a quad in perspective is where its diagonals cross, not its centroid.
  const { region: tilted } = gaussianMaps([word([[0, 0, 60, 24, 60, 40, 0, 64]])], 32, 32);
  const peak = tilted.indexOf(Math.max(...tilted));
  const cross = 60 * (64 / (64 + 16));
  expect(Math.abs(2 * (peak % 32) + 1 - cross)).toBeLessThan(3);
});

test('affinity lies between neighbours, across for vertical text, and the larger value stays', () => {
  expect(affinityQuad(square(0, 0, 6), square(10, 0, 6))).toEqual([3, 1, 13, 1, 13, 5, 3, 5]);
  expect(affinityQuad(square(0, 0, 6), square(0, 10, 6))).toEqual([1, 3, 5, 3, 5, 13, 1, 13]);
  const { affinity, region: map } = gaussianMaps([word([square(4, 8, 16), square(20, 8, 16)])], 24, 16);
  expect(affinity[8 * 24 + 10]).toBeGreaterThan(0.8);
  const alone = gaussianMaps([word([square(4, 8, 16)])], 24, 16).region;
  map.forEach((value, i) => expect(value).toBeGreaterThanOrEqual(alone[i]!));
});

test('don’t-care words and words without characters are masked, others weigh their confidence', () => {
  const outline = square(4, 4, 8);
  const words = [
    word([], { outline, dontCare: true }),
    { text: 'x', outline: square(20, 4, 8), dontCare: false },
    word([square(4, 20, 8)], { outline: square(4, 20, 8), confidence: 0.5 }),
  ];
  const { weight, region: map } = gaussianMaps(words, 16, 16);
  const at = (x: number, y: number): number => weight[y * 16 + x]!;
  expect([at(3, 3), at(11, 3), at(3, 11), at(8, 8), at(2, 2), at(1, 1)]).toEqual([0, 0, 0.5, 1, 0, 1]);
  expect(map[3 * 16 + 3]).toBe(0);
});

test('a quad without area, or far outside, or turned inside out adds nothing bad', () => {
  const quads = [
    [5, 5, 5, 5, 5, 5, 5, 5],
    [0, 0, 10, 0, 20, 0, 30, 0],
    square(-900, -900, 20),
    [10, 10, 30, 30, 30, 10, 10, 30],
  ];
  const maps = gaussianMaps([word(quads)], 20, 20);
  for (const map of [maps.region, maps.affinity]) for (const value of map) expect(value >= 0 && value <= 1).toBe(true);
});

test('the post-processing finds the words of synthetic scenes in their own targets', async () => {
  const faces = await loadFaces();
  let [hits, wanted, found] = [0, 0, 0];
  for (let i = 0; i < 6; i++) {
    const photo = { data: new Uint8ClampedArray(512 * 512 * 3), width: 512, height: 512 };
    const scene = drawTextScene(randomStream(1, `targets/${i}`), faces, { width: 512, height: 512, photo });
    const words = scene.words.map((one): TextWord => ({ ...one, dontCare: false }));
    const { region: text, affinity } = gaussianMaps(words, 256, 256);
    const data = new Float32Array(2 * text.length);
    text.forEach((value, k) => data.set([value, affinity[k]!], 2 * k));
    const boxes = textBoxes({ data, width: 256, height: 256 }, { text: 0.7, lowText: 0.4, link: 0.4, polygons: true });
    const regions = boxes.map(({ outline }) => region(outline.map((value) => 2 * value + 1)));
    const truth = words.map(({ outline }) => region(Float64Array.from(outline)));
    hits += truth.filter((one) => regions.some((other) => polygonIou(one, other) > 0.5)).length;
    wanted += truth.length;
    found += boxes.length;
  }
  expect(wanted).toBeGreaterThan(50);
  expect((2 * hits) / (wanted + found)).toBeGreaterThan(0.93);
});
