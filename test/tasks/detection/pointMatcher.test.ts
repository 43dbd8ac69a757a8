import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { xyxy } from '../../../src/geometry/box.js';
import { BACKGROUND, IGNORED } from '../../../src/tasks/detection/matcher.js';
import { matchPoints } from '../../../src/tasks/detection/pointMatcher.js';
import { decodeDistances, encodeDistances, placePoints } from '../../../src/tasks/detection/points.js';

interface Fixture {
  readonly size: readonly [number, number];
  readonly targets: readonly { readonly boxes: readonly (readonly number[])[] }[];
  /** By image: point → row of the box. */
  readonly cases: readonly { readonly matches: readonly Readonly<Record<string, number>>[] }[];
}
/** test/fixtures/detectors/fcos.py */
const fixture = JSON.parse(
  readFileSync(new URL('../../fixtures/detectors/fcos.json', import.meta.url), 'utf8'),
) as Fixture;

const grids = [[16, 20], [8, 10], [4, 5], [2, 3], [1, 2]] as const; // prettier-ignore
const points = placePoints(
  grids.map(([height, width], i) => ({ height, width, stride: 8 << i })),
  fixture.size,
);
const options = { radius: 1.5 };

test.each(fixture.targets.map(({ boxes }, image) => [image, boxes] as const))(
  "the boxes of image %i are assigned as torchvision's FCOS assigns them",
  (image, boxes) => {
    const ignore = boxes.map(() => false);
    const matches = matchPoints(points, xyxy(boxes.flat()), ignore, options);
    const learnt = [...matches.entries()].filter(([, match]) => match !== BACKGROUND);
    expect(Object.fromEntries(learnt)).toEqual(fixture.cases[0]!.matches[image]);
  },
);

test('background inside an ignored box is ignored; what another box learns is not', () => {
  const truth = xyxy([0, 0, 160, 128, 33.5, 41, 121, 127]);
  const alone = matchPoints(points, truth.subarray(4) as typeof truth, [false], options);
  const matches = matchPoints(points, truth, [true, false], options);
  for (const [i, match] of matches.entries()) {
    const inside = points.centres[i * 2]! > 0 && points.centres[i * 2 + 1]! > 0;
    expect(match).toBe(alone[i] === 0 ? 1 : inside ? IGNORED : BACKGROUND);
  }
});

test('the coarsest level has no upper limit, the finest no lower one', () => {
  const large = placePoints([{ height: 8, width: 8, stride: 8 }, { height: 1, width: 1, stride: 64 }], [64, 64]); // prettier-ignore
  const huge = matchPoints(large, xyxy([-900, -900, 900, 900]), [false], options);
  expect([...huge.entries()].filter(([, match]) => match === 0)).toEqual([[64, 0]]);
  const tiny = matchPoints(large, xyxy([7, 7, 10, 10]), [false], options);
  expect([...tiny.entries()].filter(([, match]) => match === 0)).toEqual([[9, 0]]);
});

test('decoding inverts encoding', () => {
  const truth = xyxy([10.5, 20.25, 60.75, 90.5]);
  const matches = matchPoints(points, truth, [false], options);
  const distances = encodeDistances(points, matches, truth);
  const learnt = [...matches.keys()].filter((i) => matches[i] === 0);
  expect(learnt.length).toBeGreaterThan(0);
  for (const i of learnt) expect([...decodeDistances(distances, points, i)]).toEqual([...truth]);
});
