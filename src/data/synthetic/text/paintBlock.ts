import type { RandomStream } from '../../../random.js';
import { drawColour, drawNoise } from './backdrop.js';
import { luminance, meanColour, mix, paint, type Canvas, type Colour, type Paint } from './canvas.js';
import { blurred, coverageOf, grown, type Coverage } from './coverage.js';
import type { Block, Rect } from './layout.js';
import { cornersOf, outlineOf, type Placement } from './placeBlock.js';
import type { Warp } from './warp.js';

/** A word with its characters, in pixels of the image. */
export interface SceneWord {
  readonly text: string;
  /** x1, y1, …: clockwise from the top of the first letter; four corners, or more along a curve. */
  readonly outline: readonly number[];
  /** A quad (8 numbers) for each character, clockwise from its top left in reading direction. */
  readonly characters: readonly (readonly number[])[];
}

/** Minimum difference of brightness, of 255, between text and background: some text is faint, as in real scenes, but
 *  all is visible. */
const FAINT = 28;
const CLEAR = 70;

export function paintBlock(
  canvas: Canvas,
  random: RandomStream,
  { words, size }: Block,
  warp: Warp,
  ground: Placement['ground'],
): SceneWord[] {
  const margin = Math.ceil(size / 6) + 2;
  const letters = words.flatMap(({ glyphs }) =>
    glyphs.flatMap(({ glyph, x, y }) =>
      glyph.contours.map((contour) => {
        const points = new Float32Array(contour.length);
        for (let i = 0; i < contour.length; i += 2) {
          points.set(warp(x + contour[i]! * size, y + contour[i + 1]! * size), i);
        }
        return points;
      }),
    ),
  );
  const box = boundsOfContours(letters);
  if (random.chance(0.35)) paintPanel(canvas, random, ground, size);
  const coverage = coverageOf(letters, box, margin);
  const behind = meanColour(canvas, box);
  const least = random.chance(0.2) ? FAINT : CLEAR;
  const ink = contrasting(random, behind, least);
  if (random.chance(0.3)) paintShadow(canvas, random, coverage, size, luminance(ink));
  if (size > 16 && random.chance(0.2)) {
    const rim = contrasting(random, ink, CLEAR);
    paint(canvas, grown(coverage, Math.max(1, Math.round(size * random.uniform(0.02, 0.07)))), rim);
  }
  paint(canvas, coverage, drawInk(random, ink, box, canvas), {
    opacity: random.chance(0.7) ? 1 : random.uniform(0.6, 1),
  });
  return words.map((word) => ({
    text: word.text,
    outline: outlineOf(word, warp),
    characters: word.glyphs.map(({ cell }) => cornersOf(cell).flatMap(([x, y]) => warp(x, y))),
  }));
}

function boundsOfContours(contours: readonly Float32Array[]): Rect {
  const box: [number, number, number, number] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const contour of contours) {
    for (let i = 0; i < contour.length; i += 2) {
      box[0] = Math.min(box[0], contour[i]!);
      box[1] = Math.min(box[1], contour[i + 1]!);
      box[2] = Math.max(box[2], contour[i]!);
      box[3] = Math.max(box[3], contour[i + 1]!);
    }
  }
  return box;
}

/** Draws a colour that is brighter or darker than another by at least `least`. */
function contrasting(random: RandomStream, other: Colour, least: number): Colour {
  const level = luminance(other);
  for (let i = 0; i < 20; i++) {
    const colour = drawColour(random, 0, 255);
    if (Math.abs(luminance(colour) - level) >= least) return colour;
  }
  return level > 127 ? [15, 15, 20] : [245, 245, 240];
}

/** Draws the paint of the letters: one colour, a gradient of two across the block, or a worn one. */
function drawInk(random: RandomStream, ink: Colour, [x1, , x2]: Rect, { width, height }: Canvas): Paint {
  const kind = random.next();
  if (kind < 0.7) return ink;
  if (kind < 0.85) {
    const end = mix(ink, drawColour(random), 0.45);
    return (x) => mix(ink, end, (x - x1) / (x2 - x1));
  }
  const noise = drawNoise(random, width, height, random.uniform(2, 12));
  const worn = random.uniform(15, 60);
  return (x, y) => {
    const shift = noise(x, y) * worn;
    return [ink[0] + shift, ink[1] + shift, ink[2] + shift];
  };
}

function paintShadow(canvas: Canvas, random: RandomStream, coverage: Coverage, size: number, level: number): void {
  const radius = Math.round(size * random.uniform(0, 0.06));
  const reach = Math.max(1, size * random.uniform(0.02, 0.1));
  const angle = random.uniform(0, 2 * Math.PI);
  const shade: Colour = level > 90 ? [8, 8, 12] : [235, 235, 230];
  paint(canvas, radius > 0 ? blurred(coverage, radius) : coverage, shade, {
    opacity: random.uniform(0.3, 0.8),
    dx: Math.round(reach * Math.cos(angle)),
    dy: Math.round(reach * Math.sin(angle)),
  });
}

/** Paints a board behind the text, sometimes with a rim. */
function paintPanel(canvas: Canvas, random: RandomStream, { warp, box }: Placement['ground'], size: number): void {
  const quad = (rect: Rect): Float32Array => Float32Array.from(cornersOf(rect).flatMap(([x, y]) => warp(x, y)));
  const whole = quad(box);
  const colour = drawColour(random);
  paint(canvas, coverageOf([whole], boundsOfContours([whole]), 0), colour, {
    opacity: random.chance(0.7) ? 1 : random.uniform(0.5, 1),
  });
  if (random.chance(0.6)) return;
  const inset = size * random.uniform(0.02, 0.08);
  const inner = quad([box[0] + inset, box[1] + inset, box[2] - inset, box[3] - inset]);
  const reversed = Float32Array.from({ length: 8 }, (_, i) => inner[6 - (i & ~1) + (i & 1)]!);
  paint(canvas, coverageOf([whole, reversed], boundsOfContours([whole]), 0), contrasting(random, colour, CLEAR));
}
