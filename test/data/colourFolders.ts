import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';

const PARTS = { 'train/red': '#f00', 'train/blue': '#00f', 'val/red': '#e00', 'val/blue': '#00e' };

/** Writes a data set of two classes, red and blue, with one image of 40 × 40 pixels for each in either part. */
export async function writeColourFolders(root: string): Promise<void> {
  for (const [part, background] of Object.entries(PARTS)) {
    await mkdir(join(root, part), { recursive: true });
    const image = sharp({ create: { width: 40, height: 40, channels: 3, background } });
    await image.png().toFile(join(root, part, '0.png'));
  }
}
