import type { RandomStream } from '../../../random.js';
import { mix, paint, type Canvas, type Colour } from './canvas.js';
import { coverageOf } from './coverage.js';

/** Draws a colour as outdoor things have it: mostly dull. */
export function drawColour(random: RandomStream, low = 10, high = 245): Colour {
  const grey = random.uniform(low, high);
  const strength = random.chance(0.4) ? random.uniform(20, 110) : random.uniform(0, 25);
  const hue = random.uniform(0, 2 * Math.PI);
  const channel = (phase: number): number =>
    Math.min(255, Math.max(0, grey + strength * Math.cos(hue + (phase * 2 * Math.PI) / 3)));
  return [channel(0), channel(1), channel(2)];
}

/** Noise that is smooth at the scale of `cell` pixels: random values −1…1 on a grid, with bilinear interpolation. */
export function drawNoise(random: RandomStream, width: number, height: number, cell: number) {
  const columns = Math.ceil(width / cell) + 2;
  const rows = Math.ceil(height / cell) + 2;
  const grid = Float32Array.from({ length: columns * rows }, () => random.uniform(-1, 1));
  return (x: number, y: number): number => {
    const [gx, gy] = [x / cell, y / cell];
    const [column, row] = [Math.floor(gx), Math.floor(gy)];
    const [fx, fy] = [gx - column, gy - row];
    const at = row * columns + column;
    const above = grid[at]! + (grid[at + 1]! - grid[at]!) * fx;
    const below = grid[at + columns]! + (grid[at + columns + 1]! - grid[at + columns]!) * fx;
    return above + (below - above) * fy;
  };
}

/** Distance of the computed pixels of the coarse layer, pixels. */
const COARSE = 4;

/** Draw a picture without text: a wall with light on it, stains of several sizes, masonry or boards, and things in
 *  front of it. */
export function drawBackdrop(random: RandomStream, width: number, height: number): Canvas {
  const canvas: Canvas = { data: new Uint8ClampedArray(width * height * 3), width, height };
  fill(canvas, random);
  if (random.chance(0.45)) drawMasonry(canvas, random);
  const things = random.chance(0.75) ? random.integer(1, 22) : 0;
  for (let i = 0; i < things; i++) drawThing(canvas, random);
  return canvas;
}

/** Two colours blended along a direction and by noise of three sizes. */
function fill({ data, width, height }: Canvas, random: RandomStream): void {
  const [from, to] = [drawColour(random), drawColour(random)];
  const angle = random.uniform(0, 2 * Math.PI);
  const [ax, ay] = [Math.cos(angle) / width, Math.sin(angle) / height];
  const rough = random.uniform(0, 0.5);
  const octaves = [160, 48, 16].map((cell, i) => ({
    noise: drawNoise(random, width, height, cell),
    weight: rough / 2 ** (i * random.uniform(0.3, 1.2)),
  }));
  const columns = Math.ceil(width / COARSE) + 1;
  let above = new Float32Array(columns);
  let below = shareRow(0);
  function shareRow(row: number): Float32Array<ArrayBuffer> {
    return Float32Array.from({ length: columns }, (_, column) => {
      const [x, y] = [Math.min(column * COARSE, width - 1), Math.min(row * COARSE, height - 1)];
      const sum = octaves.reduce((total, { noise, weight }) => total + noise(x, y) * weight, 0);
      return Math.min(1, Math.max(0, 0.5 + (x - width / 2) * ax + (y - height / 2) * ay + sum));
    });
  }
  const [r, g, b, dr, dg, db] = [...from, ...from.map((value, c) => to[c]! - value)] as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  for (let y = 0; y < height; y++) {
    const part = (y % COARSE) / COARSE;
    if (part === 0) {
      above = below;
      below = shareRow(y / COARSE + 1);
    }
    for (let x = 0; x < width; x++) {
      const column = Math.floor(x / COARSE);
      const fx = (x % COARSE) / COARSE;
      const upper = above[column]! + (above[column + 1]! - above[column]!) * fx;
      const lower = below[column]! + (below[column + 1]! - below[column]!) * fx;
      const share = upper + (lower - upper) * part;
      const at = (y * width + x) * 3;
      data[at] = r + dr * share;
      data[at + 1] = g + dg * share;
      data[at + 2] = b + db * share;
    }
  }
}

/** Draws the joints of bricks, tiles or boards, in a shade of the wall. */
function drawMasonry(canvas: Canvas, random: RandomStream): void {
  const { width, height } = canvas;
  const row = random.uniform(10, 80);
  const column = row * random.uniform(0.6, 8);
  const joint = Math.max(1, row * random.uniform(0.02, 0.12));
  const offset = random.chance(0.6) ? column / 2 : 0;
  const shade = drawColour(random);
  const opacity = random.uniform(0.1, 0.6);
  const [x0, y0] = [random.uniform(0, width * 0.5), random.uniform(0, height * 0.5)];
  const [x1, y1] = random.chance(0.5)
    ? [width, height]
    : [random.uniform(x0 + 100, width + 100), random.uniform(y0 + 100, height + 100)];
  const [left, right, top, bottom] = [Math.floor(x0), Math.min(width, x1), Math.floor(y0), Math.min(height, y1)];
  const contours: Float32Array[] = [];
  for (let y = top, i = 0; y < bottom; y += row, i++) {
    contours.push(rectangle(left, y, right, Math.min(y + joint, bottom)));
    for (let x = left + (i % 2) * offset; x < right - joint; x += column) {
      contours.push(rectangle(x, y + joint, x + joint, Math.min(y + row, bottom)));
    }
  }
  paint(canvas, coverageOf(contours, [left, top, right + joint, bottom + row], 0), shade, { opacity });
}

const rectangle = (x1: number, y1: number, x2: number, y2: number): Float32Array =>
  Float32Array.of(x1, y1, x2, y1, x2, y2, x1, y2);

/** Draws a pane, pole, blob or scribble, whose edges resemble those of letters. */
function drawThing(canvas: Canvas, random: RandomStream): void {
  const { width, height } = canvas;
  const size = 12 * 25 ** random.next();
  const [x, y] = [random.uniform(0, width), random.uniform(0, height)];
  const kind = random.next();
  const corners = kind < 0.45 ? 4 : kind < 0.75 ? random.integer(3, 9) : 24;
  const [rx, ry] = [size * random.uniform(0.1, 1), size * random.uniform(0.1, 1)];
  const turn = kind < 0.45 && random.chance(0.7) ? Math.PI / 4 : random.uniform(0, Math.PI);
  const wobble = kind < 0.45 ? 0 : random.uniform(0, 0.5);
  const points = new Float32Array(corners * 2);
  for (let i = 0; i < corners; i++) {
    const angle = turn + (i / corners) * 2 * Math.PI;
    const reach = 1 + wobble * random.uniform(-1, 1);
    points[2 * i] = clamp(x + rx * reach * Math.cos(angle), width);
    points[2 * i + 1] = clamp(y + ry * reach * Math.sin(angle), height);
  }
  const box = [0, 1, 2, 3].map((side) => {
    const values = points.filter((_, i) => i % 2 === side % 2);
    return side < 2 ? Math.min(...values) : Math.max(...values);
  }) as [number, number, number, number];
  const shade = drawColour(random);
  const end = mix(shade, drawColour(random), random.uniform(0, 0.7));
  const span = Math.max(1, box[2] - box[0]);
  paint(canvas, coverageOf([points], box, 0), (px) => mix(shade, end, (px - box[0]) / span), {
    opacity: random.uniform(0.4, 1),
  });
}

const clamp = (value: number, limit: number): number => Math.min(limit - 1, Math.max(0, value));
