import { readFile } from 'node:fs/promises';

import { join, resolve } from 'node:path';
import { FinetuneError } from '../../errors.js';
import { makeWhole, writeNew } from '../../files/folders.js';
import { cacheDir } from '../cacheDir.js';
import { listFolder } from '../image/imageFiles.js';

export interface DrawnSet {
  /** Folder of the set; without it one in the user's cache, called `name`. */
  readonly root: string | undefined;
  readonly name: string;
  /** Everything that decides what the images look like, as JSON; `stampFile` in the folder holds it. */
  readonly stamp: string;
  readonly stampFile: string;
  /** What the set is called in an error. */
  readonly noun: string;
}

/** Draw a data set on first use, and return its folder. The folder appears by one rename, so that a killed run leaves
 *  no half of it.
 *  Throws E_SYNTHETIC_ROOT if the folder holds something else. */
export async function drawOnce(set: DrawnSet, draw: (folder: string) => Promise<void>): Promise<string> {
  const folder = resolve(set.root ?? join(cacheDir(), set.name));
  if (await isDrawn(folder, set)) return folder;
  const work = async (temporary: string): Promise<void> => {
    await draw(temporary);
    await writeNew(join(temporary, set.stampFile), set.stamp);
  };
  await makeWhole(folder, work, () => isDrawn(folder, set)); // another process draws the same images
  return folder;
}

async function isDrawn(folder: string, { stamp, stampFile, noun }: DrawnSet): Promise<boolean> {
  const names = await listFolder(folder);
  if (names.size === 0) return false;
  const found = names.has(stampFile) ? await readFile(join(folder, stampFile), 'utf8') : undefined;
  if (found === stamp) return true;
  throw new FinetuneError({
    code: 'E_SYNTHETIC_ROOT',
    message: found ? `holds another ${noun}: ${found}, wanted ${stamp}` : `is not empty and holds no ${noun}`,
    where: { file: folder },
    fix: 'name another data.root, or remove that folder',
  });
}
