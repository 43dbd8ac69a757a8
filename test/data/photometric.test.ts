import { describe, expect, test } from '@jest/globals';
import * as fc from '../fastCheck.js';
import { distortColours, drawDistortion, type Distortion } from '../../src/data/pipeline/augment/photometric.js';
import { randomStream } from '../../src/random.js';

const nothing: Distortion = {
  brightness: undefined,
  contrast: undefined,
  contrastFirst: true,
  saturation: undefined,
  hue: undefined,
};
const distorted = (rgb: readonly number[], distortion: Partial<Distortion>): number[] => {
  const pixels = Uint8Array.from(rgb);
  distortColours(pixels, { ...nothing, ...distortion });
  return Array.from(pixels);
};

/** The textbook way: RGB → HSV, scale S, turn H, → RGB, all in floating point. */
function reference([r, g, b]: readonly [number, number, number], saturation: number, hue: number): number[] {
  const max = Math.max(r, g, b);
  const chroma = max - Math.min(r, g, b);
  const s = max === 0 ? 0 : Math.min(1, (chroma / max) * saturation);
  const h =
    chroma === 0
      ? 0
      : max === r
        ? (60 * (g - b)) / chroma
        : max === g
          ? 120 + (60 * (b - r)) / chroma
          : 240 + (60 * (r - g)) / chroma;
  const channel = (n: number) => {
    const k = (((n + (h + hue) / 60) % 6) + 6) % 6;
    return max - max * s * Math.max(0, Math.min(k, 4 - k, 1));
  };
  return [channel(5), channel(3), channel(1)];
}

const byte = fc.integer({ min: 0, max: 255 });
const colour = fc.tuple(byte, byte, byte);

describe('distortColours', () => {
  test('takes a red a hair on the purple side for red', () => {
    expect(distorted([3, 1, 1], { hue: -Number.MIN_VALUE })).toEqual([3, 1, 1]); // once: 0 − ε + 6 = 6, a seventh sextant
  });

  test('turns hue and scales saturation as the textbook does, to a level', () => {
    fc.assert(
      fc.property(
        colour,
        fc.double({ min: 0.5, max: 1.5, noNaN: true }),
        fc.double({ min: -18, max: 18, noNaN: true }),
        (rgb, saturation, hue) => {
          const wanted = reference(rgb, saturation, hue);
          distorted(rgb, { saturation, hue }).forEach((value, i) =>
            expect(Math.abs(value - wanted[i]!)).toBeLessThanOrEqual(1),
          );
        },
      ),
      { numRuns: 1500 },
    );
  });

  test('adds brightness and multiplies contrast on each channel, and stops at 0 and 255', () => {
    expect(distorted([10, 100, 250], { brightness: 20 })).toEqual([30, 120, 255]);
    expect(distorted([10, 100, 250], { brightness: -20 })).toEqual([0, 80, 230]);
    expect(distorted([10, 100, 250], { contrast: 1.5 })).toEqual([15, 150, 255]);
    expect(distorted([10, 100, 250], { brightness: -20, contrast: 0.5 })).toEqual([0, 40, 115]);
  });

  test('does contrast before saturation or after it, as drawn', () => {
    const change = { contrast: 1.5, saturation: 0.5 };
    expect(distorted([200, 100, 100], { ...change, contrastFirst: true })).toEqual([255, 203, 203]); // 255 first clips the red
    expect(distorted([200, 100, 100], { ...change, contrastFirst: false })).toEqual([255, 225, 225]);
  });

  test('leaves all as it is when nothing was drawn, and grey grey whatever saturation and hue', () => {
    fc.assert(fc.property(colour, (rgb) => expect(distorted(rgb, {})).toEqual([...rgb])));
    fc.assert(fc.property(byte, (v) => expect(distorted([v, v, v], { saturation: 1.4, hue: 15 })).toEqual([v, v, v])));
  });
});

test('drawDistortion stays in the published ranges and leaves each change out half the time', () => {
  const random = randomStream(1, 'test');
  const drawn = Array.from({ length: 2000 }, () => drawDistortion(random));
  for (const [key, low, high] of [
    ['brightness', -32, 32],
    ['contrast', 0.5, 1.5],
    ['saturation', 0.5, 1.5],
    ['hue', -18, 18],
  ] as const) {
    const values = drawn.map((distortion) => distortion[key]).filter((value) => value !== undefined);
    expect(values.length / drawn.length).toBeCloseTo(0.5, 1);
    expect(Math.min(...values)).toBeGreaterThanOrEqual(low);
    expect(Math.max(...values)).toBeLessThanOrEqual(high);
    expect(Math.max(...values) - Math.min(...values)).toBeGreaterThan(0.95 * (high - low));
  }
});
