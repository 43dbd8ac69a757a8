import type { RandomStream } from '../../../random.js';

/** A distortion of an image's colours; what is undefined stays as it is. */
export interface Distortion {
  /** Added to every channel, of 255. */
  readonly brightness: number | undefined;
  readonly contrast: number | undefined;
  /** Whether the contrast changes before saturation and hue, or after them. */
  readonly contrastFirst: boolean;
  readonly saturation: number | undefined;
  /** Degrees. */
  readonly hue: number | undefined;
}

/** Draw a distortion with the ranges published with SSD (weiliu89/caffe, branch ssd, examples/ssd/ssd_pascal.py):
 *  brightness ±32, contrast and saturation 0.5…1.5, hue ±18°, each with probability ½. The random order of channels has
 *  probability 0 there, so it is left out. `strength` 0…1 narrows the ranges. */
export function drawDistortion(random: RandomStream, strength = 1): Distortion {
  const maybe = (low: number, high: number): number | undefined => {
    const none = (low + high) / 2;
    const value = none + strength * (random.uniform(low, high) - none);
    return random.chance(0.5) ? value : undefined;
  };
  return {
    brightness: maybe(-32, 32),
    contrast: maybe(0.5, 1.5),
    contrastFirst: random.chance(0.5),
    saturation: maybe(0.5, 1.5),
    hue: maybe(-18, 18),
  };
}

/** Distort the colours of interleaved RGB pixels, 0…255, in place: brightness, contrast, then saturation and hue in HSV
 *  (or contrast last). It is one pass: changes of single channels are folded into tables. */
export function distortColours(pixels: Uint8Array, distortion: Distortion): void {
  const { brightness = 0, contrast = 1, contrastFirst, saturation, hue } = distortion;
  if (saturation === undefined && hue === undefined) {
    const table = channelTable((x) => clamp(clamp(x + brightness) * contrast));
    if (brightness !== 0 || contrast !== 1) for (let i = 0; i < pixels.length; i++) pixels[i] = table[pixels[i]!]!;
    return;
  }
  const before = channelTable((x) => clamp(x + brightness) * (contrastFirst ? contrast : 1));
  const after = channelTable((x) => (contrastFirst ? x : x * contrast));
  const turn = (hue ?? 0) / 60; // sextants
  const factor = saturation ?? 1;
  for (let i = 0; i < pixels.length; i += 3) {
    const r = before[pixels[i]!]!;
    const g = before[pixels[i + 1]!]!;
    const b = before[pixels[i + 2]!]!;
    const max = r > g ? (r > b ? r : b) : g > b ? g : b;
    const min = r < g ? (r < b ? r : b) : g < b ? g : b;
    const chroma = max - min;
    if (chroma === 0) {
      pixels[i] = pixels[i + 1] = pixels[i + 2] = after[max]!; // grey has neither saturation nor hue
      continue;
    }
    let sextant = max === r ? (g - b) / chroma : max === g ? 2 + (b - r) / chroma : 4 + (r - g) / chroma; // −1…5
    sextant += turn;
    if (sextant < 0) sextant += 6; // rounding can make this 6
    if (sextant >= 6) sextant -= 6;
    const spread = Math.min(max, chroma * factor); // saturation is chroma ÷ max, at most 1; max stays
    const low = max - spread;
    const whole = sextant | 0;
    const rest = sextant - whole;
    const middle = (whole & 1) === 0 ? low + spread * rest : max - spread * rest;
    const top = after[max]!;
    const bottom = after[(low + 0.5) | 0]!;
    const between = after[(middle + 0.5) | 0]!;
    pixels[i] = whole === 0 || whole === 5 ? top : whole === 1 || whole === 4 ? between : bottom;
    pixels[i + 1] = whole === 1 || whole === 2 ? top : whole === 0 || whole === 3 ? between : bottom;
    pixels[i + 2] = whole === 3 || whole === 4 ? top : whole === 2 || whole === 5 ? between : bottom;
  }
}

const clamp = (x: number): number => Math.min(255, Math.max(0, x));

const channelTable = (f: (x: number) => number): Uint8ClampedArray =>
  Uint8ClampedArray.from({ length: 256 }, (_, x) => f(x));
