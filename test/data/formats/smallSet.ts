import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import sharp from 'sharp';

/** A box in pixels: left, top, width, height. */
export interface SmallBox {
  readonly name: string;
  readonly box: readonly [number, number, number, number];
}

export interface SmallImage {
  readonly stem: string;
  readonly part: 'train' | 'val';
  readonly width: number;
  readonly height: number;
  readonly boxes: readonly SmallBox[];
}

export const NAMES = ['red cell', 'white cell', 'platelet'] as const;

/** Four images, of which one has no box. Every coordinate is a whole pixel, and every
 *  box is inside; each image has a size of its own. */
export const smallSet: readonly SmallImage[] = [
  {
    stem: 'blood_1',
    part: 'train',
    width: 80,
    height: 50,
    boxes: [
      { name: 'red cell', box: [4, 6, 20, 18] },
      { name: 'white cell', box: [30, 10, 40, 30] },
    ],
  },
  { stem: 'blood_2', part: 'train', width: 64, height: 64, boxes: [] },
  {
    stem: 'blood_3',
    part: 'train',
    width: 60,
    height: 90,
    boxes: [
      { name: 'platelet', box: [1, 2, 9, 10] },
      { name: 'red cell', box: [20, 40, 30, 44] },
    ],
  },
  { stem: 'blood_4', part: 'val', width: 100, height: 40, boxes: [{ name: 'white cell', box: [12, 4, 60, 32] }] },
];

/** Thirty images of cells, of which two have none: as many as a person labels in an hour. */
export const thirtyImages: readonly SmallImage[] = Array.from({ length: 30 }, (_, i) => {
  const [width, height] = [120 + 2 * i, 90 + i];
  const count = i % 15 === 7 ? 0 : 2 + (i % 3);
  const boxes = Array.from({ length: count }, (_, k): SmallBox => {
    const side = 14 + ((5 * i + 3 * k) % 9);
    return { name: NAMES[(i + k) % 3]!, box: [4 + 28 * k, 3 + ((7 * i + 11 * k) % 50), side, side + (i % 4)] };
  });
  return { stem: `cell_${i}`, part: i % 5 === 4 ? 'val' : 'train', width, height, boxes };
});

/** Puts files into a folder that is made for them. */
export function placeIn(root: string) {
  return (path: string, content: string | Uint8Array): string => {
    const file = join(root, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
    return file;
  };
}

const pictures = new Map<string, Buffer>();

const COLOURS: Readonly<Record<string, string>> = { 'red cell': '#b33', 'white cell': '#eee', platelet: '#93c' };

/** A JPEG file of an image's size, with its cells as rectangles. */
export async function pictureOf({ width, height, stem, boxes }: SmallImage): Promise<Buffer> {
  const known = pictures.get(stem);
  if (known) return known;
  const background = { r: 40 * (Number(/\d+$/.exec(stem)![0]) % 7), g: 90, b: 120 };
  const cells = boxes.map(
    ({ name, box: [x, y, w, h] }) => `<rect x="${x}" y="${y}" width="${w}" height="${h}" fill="${COLOURS[name]!}"/>`,
  );
  const drawing = Buffer.from(`<svg width="${width}" height="${height}">${cells.join('')}</svg>`);
  const bytes = await sharp({ create: { width, height, channels: 3, background } })
    .composite([{ input: drawing }])
    .jpeg()
    .toBuffer();
  pictures.set(stem, bytes);
  return bytes;
}
