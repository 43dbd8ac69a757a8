import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { makeFolder } from '../../../files/folders.js';
import { writeAtomically } from '../../../files/writeAtomically.js';
import { cacheDir } from '../../cacheDir.js';

const folderOfUnpacked = (): string => join(cacheDir(), 'images');

/** Whether an image was unpacked from another file: its path then says nothing about it. */
export const isUnpacked = (file: string): boolean => file.includes(UNPACKED) && file.startsWith(folderOfUnpacked());

const UNPACKED = `tfjs-finetune${sep}images${sep}`;

/** Writes an image that stands inside another file to the cache, and returns its path; undefined if there is no image.
 *  `key` says where the image comes from; an image of the same key and the same bytes is written once. */
export async function unpackImage(
  read: () => Promise<Uint8Array | undefined>,
  key: string,
): Promise<string | undefined> {
  const bytes = await read();
  const extension = bytes && extensionOf(bytes);
  if (!bytes || extension === undefined) return undefined;
  const digest = createHash('sha256').update(key).update('\n').update(bytes).digest('hex').slice(0, 40);
  const folder = join(folderOfUnpacked(), digest.slice(0, 2));
  const file = join(folder, `${digest}.${extension}`);
  const there = await stat(file).catch(() => undefined);
  if (there?.size === bytes.length) return file;
  await makeFolder(folder);
  await writeAtomically(file, [bytes], { isDurable: false });
  return file;
}

/** First bytes of the images that are read. */
const SIGNATURES: readonly (readonly [extension: string, at: number, bytes: string])[] = [
  ['jpg', 0, '\u00ff\u00d8\u00ff'],
  ['png', 0, '\u0089PNG'],
  ['webp', 8, 'WEBP'],
  ['gif', 0, 'GIF8'],
  ['bmp', 0, 'BM'],
  ['tif', 0, 'II*\0'],
  ['tif', 0, 'MM\0*'],
  ['avif', 4, 'ftypavif'],
];

/** The extension of an image by its first bytes; undefined if it is of no kind that is read. */
const extensionOf = (bytes: Uint8Array): string | undefined => {
  const head = Buffer.from(bytes.subarray(0, 32)).toString('latin1');
  return SIGNATURES.find(([, at, signature]) => head.startsWith(signature, at))?.[0];
};
