import { readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { FinetuneError } from '../../../errors.js';

/** The JPEG and PNG files of a folder, at any depth, in an order that does not depend on the disk. Throws E_PHOTOS if
 *  there are none. */
export async function listPhotos(folder: string): Promise<string[]> {
  const root = resolve(folder);
  const names = await readdir(root, { recursive: true }).catch(() => []);
  const photos = names.filter((name) => /\.(jpe?g|png)$/i.test(name)).sort();
  if (photos.length > 0) return photos.map((name) => join(root, name));
  const message = 'there is no JPEG or PNG file in it';
  throw new FinetuneError({
    code: 'E_PHOTOS',
    message,
    where: { file: root },
    fix: 'name a folder of photos without text',
  });
}
