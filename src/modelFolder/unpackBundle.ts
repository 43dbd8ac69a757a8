import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { makeFolder, makeWhole, writeNew } from '../files/folders.js';
import { hashFile } from '../files/hashFile.js';
import { readBundle } from './bundleFile.js';

/** Unpacks a bundle into the cache, where it is a run directory, and returns that folder. A bundle that was unpacked
 *  before is only hashed. Throws E_BUNDLE_DAMAGED. */
export async function unpackBundle(file: string, cacheDir: string): Promise<string> {
  const folder = join(cacheDir, 'bundles', await hashFile(file));
  const isThere = (): Promise<boolean> =>
    stat(folder).then(
      (entry) => entry.isDirectory(),
      () => false,
    );
  if (await isThere()) return folder;
  const { files } = await readBundle(file);
  await makeWhole(
    folder,
    async (temporary) => {
      for (const [name, content] of files) {
        const path = join(temporary, ...name.split('/'));
        await makeFolder(dirname(path));
        await writeNew(path, content);
      }
    },
    isThere,
  );
  return folder;
}
