import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import sharp from 'sharp';
import { temporaryFolder } from '../temporaryFolder.js';

export const root = temporaryFolder();
const jpeg = await sharp({ create: { width: 64, height: 48, channels: 3, background: '#a52' } })
  .jpeg()
  .toBuffer();

/** Writes files below a folder of its own; an image for each path that ends as one. */
export async function folderOf(name: string, files: Readonly<Record<string, string>>): Promise<string> {
  for (const [path, text] of Object.entries(files)) {
    const file = join(root, name, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, /\.jpg$/.test(path) && text === '' ? jpeg : text);
  }
  return join(root, name);
}
