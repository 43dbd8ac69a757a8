import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { counted, type Detect } from '../detect/detected.js';
import type { Listing } from '../detect/listing.js';
import { filesInParts } from '../detect/parts.js';
import { IMAGE_EXTENSION } from '../../image/imageFiles.js';
import { peekTar, type TarEntry } from './tarIndex.js';

/** WebDataset with boxes: tar files of images, with a JSON file for each. */
export const detectWebDataset: Detect = (listing) => detect(listing, 'boxes');

/** WebDataset with a class for each image. */
export const detectWebDatasetClasses: Detect = (listing) => detect(listing, 'classes');

/** Files of a tar file that are looked at. */
const PEEKED = 40;

async function detect(listing: Listing, wanted: 'boxes' | 'classes'): ReturnType<Detect> {
  const found: string[] = [];
  for (const file of listing.files.filter((one) => /\.tar$/i.test(one))) {
    const path = join(listing.root, file);
    const entries = await peekTar(path, PEEKED);
    if (!entries.some(({ name }) => IMAGE_EXTENSION.test(name))) continue;
    if ((await kindOf(path, entries)) === wanted) found.push(file);
  }
  if (found.length === 0) return undefined;
  const what = wanted === 'boxes' ? 'boxes in JSON files' : 'a class for each';
  const why = `${counted(found.length, 'tar file')} ${found.length === 1 ? 'holds' : 'hold'} images and ${what}`;
  return { certainty: 0.95, why, ...filesInParts(found) };
}

async function kindOf(file: string, entries: readonly TarEntry[]): Promise<'boxes' | 'classes' | undefined> {
  const json = entries.find(({ name }) => /\.json$/i.test(name));
  if (json) {
    const handle = await open(file);
    try {
      const bytes = Buffer.alloc(Math.min(json.size, 1 << 16));
      await handle.read(bytes, 0, bytes.length, json.start);
      const text = bytes.toString('utf8');
      if (/"(?:bbox|bboxes|boxes|objects|annotations)"\s*:/.test(text)) return 'boxes';
      if (/"(?:label|cls|class|class_name)"\s*:/.test(text)) return 'classes';
    } finally {
      await handle.close();
    }
  }
  return entries.some(({ name }) => /\.cls$/i.test(name)) ? 'classes' : undefined;
}
