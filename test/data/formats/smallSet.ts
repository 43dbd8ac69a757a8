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

/** Four images with boxes, of which one has none; every coordinate is a whole pixel, and every box is inside. */
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

/** A JPEG file of an image's size. */
export async function pictureOf({ width, height, stem }: SmallImage): Promise<Buffer> {
  const known = pictures.get(stem);
  if (known) return known;
  const background = { r: 40 * Number(stem.at(-1)), g: 90, b: 120 };
  const bytes = await sharp({ create: { width, height, channels: 3, background } })
    .jpeg()
    .toBuffer();
  pictures.set(stem, bytes);
  return bytes;
}
