import { readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** The names of the entries of a folder; empty if there is no such folder. */
export async function listFolder(dir: string): Promise<Set<string>> {
  try {
    return new Set(await readdir(dir));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return new Set();
    throw error;
  }
}

/** Which of `names` (relative to `dir`, folders allowed) do not exist. Reads each folder once instead of looking for
 *  each file. */
export async function missingFiles(dir: string, names: readonly string[]): Promise<Set<string>> {
  const wanted = new Map<string, string[]>();
  for (const name of names) {
    const folder = dirname(join(dir, name));
    const inside = wanted.get(folder);
    if (inside) inside.push(name);
    else wanted.set(folder, [name]);
  }
  const missing = new Set<string>();
  for (const [folder, inside] of wanted) {
    const there = await listFolder(folder);
    for (const name of inside) if (!there.has(join(dir, name).slice(folder.length + 1))) missing.add(name);
  }
  return missing;
}
