import { join } from 'node:path';
import { FinetuneError } from '../../../errors.js';
import { counted, type Detect } from '../detect/detected.js';
import type { Listing } from '../detect/listing.js';
import { filesInParts } from '../detect/parts.js';
import { parseCsv } from '../table/parseCsv.js';
import { hubColumns } from './columns.js';
import { openParquet } from './parquet.js';

/** Hugging Face with boxes: an image folder with metadata, or parquet files. */
export const detectHuggingFace: Detect = (listing) => detect(listing, 'objects', 'objects');

/** Hugging Face with a label for each image. */
export const detectHuggingFaceClasses: Detect = (listing) => detect(listing, 'label', 'a label for each image');

async function detect(listing: Listing, wanted: 'objects' | 'label', noun: string): ReturnType<Detect> {
  const found: string[] = [];
  for (const file of listing.files.filter((one) => /(?:^|\/)metadata\.(?:jsonl|csv)$|\.parquet$/i.test(one))) {
    const { objects, label } = hubColumns(await columnsOf(file, listing));
    if (wanted === 'objects' ? objects : !objects && label) found.push(file);
  }
  if (found.length === 0) return undefined;
  const why = `${counted(found.length, 'file')} ${found.length === 1 ? 'has' : 'have'} ${noun} in the columns of Hugging Face`;
  return { certainty: 0.98, why, ...filesInParts(found) };
}

/** The names of the columns of a metadata file; none if it cannot be read. */
async function columnsOf(file: string, listing: Listing): Promise<readonly string[]> {
  try {
    if (/\.parquet$/i.test(file)) return (await openParquet(join(listing.root, file))).columns;
    const text = (await listing.sample(file)).replace(/^\uFEFF/, '');
    if (/\.csv$/i.test(file)) return parseCsv(text.split('\n').slice(0, 2).join('\n'))[0]?.cells ?? [];
    const [line = ''] = text.split('\n').filter((one) => one.trim() !== '');
    return Object.keys(JSON.parse(line) as object);
  } catch (error) {
    if (error instanceof FinetuneError || error instanceof SyntaxError || error instanceof TypeError) return [];
    throw error;
  }
}
