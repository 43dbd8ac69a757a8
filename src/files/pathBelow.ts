import { lstat, realpath } from 'node:fs/promises';
import { dirname, join, resolve, sep } from 'node:path';
import { unsafePath } from '../safePath.js';

/** Where a file with a name that was chosen elsewhere may be written below a folder, or why it may not: because of its
 *  name (safePath.ts), or because a symbolic link in the folder leads elsewhere. */
export async function pathBelow(
  dir: string,
  path: string,
): Promise<{ readonly file: string } | { readonly refused: string }> {
  const why = unsafePath(path);
  if (why !== undefined) return { refused: why };
  const file = join(resolve(dir), ...path.split('/'));
  const root = await realpath(dir);
  const info = await lstat(file).catch(() => undefined);
  if (info?.isSymbolicLink()) return { refused: 'there is a symbolic link of that name' };
  for (let folder = dirname(file); ; folder = dirname(folder)) {
    const real = await realpath(folder).catch(() => undefined); // it may not exist yet
    if (real === undefined) continue;
    if (real === root || real.startsWith(root + sep)) return { file };
    return { refused: 'a symbolic link leads out of its folder' };
  }
}
