import { readdir } from 'node:fs/promises';
import { sep } from 'node:path';
import { isHidden } from '../image/imageFiles.js';

/** The files of a folder and its subfolders, by their paths without extension. */
export interface StemIndex {
  /** Paths, relative to the folder, of the files that a path without extension means: those of exactly that path, or
   *  those in any subfolder whose paths end like it, or those that differ in capitals. Accents may be composed in any
   *  way. */
  readonly find: (stem: string) => readonly string[];
  /** All paths, sorted. */
  readonly files: readonly string[];
}

/** Lists the files with an extension in a folder and its subfolders; nothing if there is no such folder. */
export async function indexByStem(folder: string, extension: RegExp): Promise<StemIndex> {
  const entries = await readdir(folder, { recursive: true }).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  });
  const files = entries
    .map((entry) => entry.split(sep).join('/'))
    .filter((entry) => extension.test(entry) && !entry.split('/').some(isHidden))
    .sort();
  const exact = new Map<string, string[]>();
  const inside = new Map<string, string[]>();
  const folded = new Map<string, string[]>();
  for (const file of files) {
    const stem = keyOf(file.replace(extension, ''));
    append(exact, stem, file);
    append(folded, stem.toLowerCase(), file);
    for (let cut = stem.indexOf('/'); cut >= 0; cut = stem.indexOf('/', cut + 1))
      append(inside, stem.slice(cut + 1), file);
  }
  const find = (stem: string): readonly string[] => {
    const key = keyOf(stem);
    return exact.get(key) ?? inside.get(key) ?? folded.get(key.toLowerCase()) ?? [];
  };
  return { files, find };
}

const keyOf = (stem: string): string => stem.normalize();

function append(lists: Map<string, string[]>, key: string, file: string): void {
  const list = lists.get(key);
  if (list) list.push(file);
  else lists.set(key, [file]);
}
