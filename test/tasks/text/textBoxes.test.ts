import { expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { inflateSync } from 'node:zlib';
import { region, polygonIou } from '../../../src/geometry/polygon.js';
import { textBoxes } from '../../../src/tasks/text/textBoxes.js';

interface Golden {
  readonly thresholds: readonly (readonly [text: number, lowText: number, link: number])[];
  readonly cases: readonly {
    readonly width: number;
    readonly height: number;
    readonly maps: string;
    readonly boxes: readonly (readonly (readonly number[])[])[];
  }[];
}
const golden = JSON.parse(readFileSync(new URL('../../fixtures/text/boxes.json', import.meta.url), 'utf8')) as Golden;
const mapsOf = ({ width, height, maps }: Golden['cases'][number]) => {
  const bytes = inflateSync(Buffer.from(maps, 'base64'));
  return { width, height, data: Float32Array.from(bytes, (value) => Math.fround(value / 255)) };
};

test('boxes are those of the published post-processing with OpenCV, within a pixel', () => {
  let compared = 0;
  for (const one of golden.cases) {
    for (const [i, [text, lowText, link]] of golden.thresholds.entries()) {
      const found = textBoxes(mapsOf(one), { text, lowText, link });
      const wanted = one.boxes[i]!;
      expect(found).toHaveLength(wanted.length);
      for (const [k, { outline, score }] of found.entries()) {
        const [ours, theirs] = [region(outline), region(Float64Array.from(wanted[k]!))];
        expect(score).toBeGreaterThan(lowText);
        // Two rectangles can have the same least area: then either is right.
        const tie = Math.abs(ours.area - theirs.area) < 0.02 && polygonIou(ours, theirs) < 0.99;
        if (tie) continue;
        compared++;
        // Where two corners have the same least x + y, either is the first.
        const first = [0, 2, 4, 6].filter((j) => Math.abs(outline[j]! + outline[j + 1]! - outline[0]! - outline[1]!) < 0.01); // prettier-ignore
        const away = first.map((turn) => Math.max(...wanted[k]!.map((value, j) => Math.abs(outline[(j + turn) % 8]! - value)))); // prettier-ignore
        expect(Math.min(...away)).toBeLessThan(1);
      }
    }
  }
  expect(compared).toBeGreaterThan(100);
});

test('a curved word gets an outline along it, a straight one keeps its four corners', () => {
  const [width, height] = [200, 120];
  const data = new Float32Array(width * height * 2);
  const draw = (x: number, y: number): void => {
    for (let dy = -7; dy <= 7; dy++)
      for (let dx = -7; dx <= 7; dx++) {
        const at = 2 * ((Math.round(y) + dy) * width + Math.round(x) + dx);
        const value = Math.exp(-(dx * dx + dy * dy) / 24);
        data[at] = Math.max(data[at]!, value);
        data[at + 1] = Math.max(data[at + 1]!, value);
      }
  };
  for (let i = 0; i <= 40; i++) draw(20 + i * 2, 100);
  for (let i = 0; i <= 60; i++) {
    const angle = Math.PI * (1.1 + (0.8 * i) / 60);
    draw(110 + 70 * Math.cos(angle), 90 + 70 * Math.sin(angle));
  }
  const thresholds = { text: 0.7, lowText: 0.4, link: 0.4, polygons: true };
  const [arc, straight] = textBoxes({ data, width, height }, thresholds);
  expect(straight!.outline).toHaveLength(8);
  expect(arc!.outline.length).toBeGreaterThan(8);
  const [tight, loose] = [region(arc!.outline), region(textBoxes({ data, width, height }, { ...thresholds, polygons: false })[0]!.outline)]; // prettier-ignore
  expect(tight.area).toBeLessThan(0.6 * loose.area);
  for (let i = 1; i < 6; i++) {
    const angle = Math.PI * (1.1 + (0.8 * i) / 6);
    const [x, y] = [110 + 70 * Math.cos(angle), 90 + 70 * Math.sin(angle)];
    const cell = region(Float64Array.of(x - 1, y - 1, x + 1, y - 1, x + 1, y + 1, x - 1, y + 1));
    expect(polygonIou(tight, cell)).toBeGreaterThan(0);
  }
});

test('nothing is found in empty maps, nor in a speck', () => {
  const maps = { data: new Float32Array(20 * 10 * 2), width: 20, height: 10 };
  const thresholds = { text: 0.7, lowText: 0.4, link: 0.4 };
  expect(textBoxes(maps, thresholds)).toEqual([]);
  maps.data[2 * 45] = 1;
  expect(textBoxes(maps, thresholds)).toEqual([]);
});
