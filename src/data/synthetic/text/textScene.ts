import type { RandomStream } from '../../../random.js';
import { drawBackdrop, drawColour, drawNoise } from './backdrop.js';
import { luminance, meanColour, mix, paint, type Canvas, type Colour, type Paint } from './canvas.js';
import { blurred, coverageOf, grown, type Coverage } from './coverage.js';
import type { Face, Script } from './fonts.js';
import { drawBlock, type Block, type PlacedWord, type Rect } from './layout.js';
import { bent, drawPose, posed, type Point, type Warp } from './warp.js';

/** A word with its characters, in pixels of the image. */
export interface SceneWord {
  readonly text: string;
  /** x1, y1, …: clockwise from the first letter's top; four corners, more along a curve. */
  readonly outline: readonly number[];
  /** A quad (8 numbers) for each character, clockwise from its top left as it is read. */
  readonly characters: readonly (readonly number[])[];
}

export interface TextScene {
  readonly canvas: Canvas;
  readonly words: readonly SceneWord[];
}

const MOST_BLOCKS = 14;
const TRIES = 5;
/** Where the text may lie, from the border in, pixels. */
const MARGIN = 3;

/** Draw a picture with text: on `photo` where there is one, else on a drawn backdrop. One in forty has no text. */
export function drawTextScene(
  random: RandomStream,
  faces: readonly Face[],
  { width, height, photo }: { readonly width: number; readonly height: number; readonly photo?: Canvas | undefined },
): TextScene {
  const canvas = photo ?? drawBackdrop(random, width, height);
  const words: SceneWord[] = [];
  const taken: Point[][] = [];
  const wanted = random.chance(1 / 40) ? 0 : random.integer(1, MOST_BLOCKS + 1);
  for (let i = 0; i < wanted; i++) {
    for (let attempt = 0; attempt < TRIES; attempt++) {
      const face = drawFace(random, faces);
      const block = drawBlock(random, face, face.scripts[0]!);
      if (!block) continue;
      const placed = placeBlock(random, block, width, height, taken);
      if (!placed) continue;
      taken.push(placed.quad);
      words.push(...paintBlock(canvas, random, block, placed.warp, placed.ground));
      break;
    }
  }
  addNoise(canvas, random);
  return { canvas, words };
}

/** The script first, so that one with many fonts is not seen more often than meant. */
const shares: readonly (readonly [Script, number])[] = [
  ['latin', 0.88],
  ['cyrillic', 0.05],
  ['greek', 0.03],
  ['hebrew', 0.02],
  ['hangul', 0.02],
];

function drawFace(random: RandomStream, faces: readonly Face[]): Face {
  let rest = random.next();
  const script = shares.find(([, share]) => (rest -= share) < 0)?.[0] ?? 'latin';
  const fitting = faces.filter(({ scripts }) => scripts.includes(script));
  const able = fitting.length > 0 ? fitting : faces;
  return able[random.integer(0, able.length)]!;
}

interface Placement {
  readonly warp: Warp;
  /** The plane without the bend: for panels. */
  readonly ground: { readonly warp: Warp; readonly box: Rect };
  readonly quad: Point[];
}

/** A pose inside the image and beside all that is there already; undefined if the draw was not lucky. */
function placeBlock(
  random: RandomStream,
  block: Block,
  width: number,
  height: number,
  taken: readonly Point[][],
): Placement | undefined {
  const { box, size } = block;
  const reach = Math.hypot(box[2], box[3]);
  if (box[2] * 2 > width || box[3] * 2 > height) return undefined;
  const spread = (length: number): number => {
    const low = Math.min(reach, length / 2);
    return random.uniform(low * 0.6, length - low * 0.6);
  };
  const plane = posed(drawPose(random, [spread(width), spread(height)], box[2], box[3]));
  const curved = block.isLine && random.chance(0.25);
  const radius = ((box[2] * 2) / random.uniform(0.35, 2.4)) * (random.chance(0.7) ? 1 : -1);
  const warp = curved && Math.abs(radius) > box[3] * 3 ? bent(radius, plane) : plane;
  const rims = block.words.flatMap((word) =>
    outlineOf(word, warp === plane ? (x, y) => [x, y] : bent(radius, (x, y) => [x, y])),
  );
  const flat = boundsOf(rims);
  const pad = size * 0.25;
  const ground: Rect = [flat[0] - pad, flat[1] - pad, flat[2] + pad, flat[3] + pad];
  const quad = cornersOf(ground).map(([x, y]) => plane(x, y));
  const outside = quad.some(([x, y]) => x < MARGIN || y < MARGIN || x > width - MARGIN || y > height - MARGIN);
  if (outside || taken.some((other) => overlap(quad, other))) return undefined;
  return { warp, ground: { warp: plane, box: ground }, quad };
}

const cornersOf = ([x1, y1, x2, y2]: Rect): Point[] => [[x1, y1], [x2, y1], [x2, y2], [x1, y2]]; // prettier-ignore

/** Whether two convex quads overlap: no side of either has the other beyond it. */
function overlap(a: readonly Point[], b: readonly Point[]): boolean {
  const apart = (quad: readonly Point[], other: readonly Point[]): boolean =>
    quad.some(([x, y], i) => {
      const [nx, ny] = quad[(i + 1) % 4]!;
      return other.every(([px, py]) => (nx - x) * (py - y) - (ny - y) * (px - x) < 0);
    });
  return !apart(a, b) && !apart(b, a);
}

/** Points along the top and back along the bottom, closer than a third of the height on a bent line. */
function outlineOf({ box: [x1, y1, x2, y2] }: Pick<PlacedWord, 'box'>, warp: Warp): number[] {
  const straight = isStraight(x1, x2, warp);
  const steps = straight ? 1 : Math.min(7, Math.max(2, Math.ceil((x2 - x1) / (y2 - y1))));
  const top: number[] = [];
  const bottom: number[] = [];
  for (let i = 0; i <= steps; i++) {
    const x = x1 + ((x2 - x1) * i) / steps;
    top.push(...warp(x, y1));
    bottom.unshift(...warp(x, y2));
  }
  return [...top, ...bottom];
}

/** Whether the line y = 0 stays a line, to a tenth of a pixel. */
function isStraight(x1: number, x2: number, warp: Warp): boolean {
  const [ax, ay] = warp(x1, 0);
  const [bx, by] = warp(x2, 0);
  const [mx, my] = warp((x1 + x2) / 2, 0);
  const away = (bx - ax) * (my - ay) - (by - ay) * (mx - ax);
  return Math.abs(away) < 0.1 * Math.hypot(bx - ax, by - ay);
}

function boundsOf(points: readonly number[]): Rect {
  const xs = points.filter((_, i) => i % 2 === 0);
  const ys = points.filter((_, i) => i % 2 === 1);
  return [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
}

/** Least difference of brightness between ink and ground: scenes have faint text too, but text that cannot be seen teaches nothing. */
const FAINT = 28;
const CLEAR = 70;

function paintBlock(
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

/** A colour at least that much brighter or darker than another. */
function contrasting(random: RandomStream, other: Colour, least: number): Colour {
  const level = luminance(other);
  for (let i = 0; i < 20; i++) {
    const colour = drawColour(random, 0, 255);
    if (Math.abs(luminance(colour) - level) >= least) return colour;
  }
  return level > 127 ? [15, 15, 20] : [245, 245, 240];
}

/** One colour, a run of two across the block, or one that is worn. */
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

/** The board that the text stands on, with a rim at times. */
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

const NOISE = 1 << 16;
let table: Float32Array | undefined;

/** Sensor noise: a table of normal values, read from another place in every row. */
function addNoise({ data, width, height }: Canvas, random: RandomStream): void {
  const strength = random.chance(0.5) ? 0 : random.uniform(1, 9);
  if (strength === 0) return;
  table ??= Float32Array.from({ length: NOISE }, (_, i) => normalAt(i));
  for (let y = 0; y < height; y++) {
    let from = random.integer(0, NOISE);
    for (let at = y * width * 3, end = at + width * 3; at < end; at++) {
      data[at] = data[at]! + table[from]! * strength;
      from = (from + 1) & (NOISE - 1);
    }
  }
}

/** A sum of four uniform numbers from a hash of i: near enough to normal, and always the same. */
function normalAt(i: number): number {
  let sum = 0;
  for (let k = 0; k < 4; k++) {
    let hash = Math.imul(i * 4 + k + 1, 0x9e3779b1);
    hash = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b);
    sum += ((hash ^ (hash >>> 13)) >>> 0) / 2 ** 32;
  }
  return (sum - 2) * Math.sqrt(3);
}
