import type { PartName } from '../../sample.js';
import type { Guess } from './detected.js';

/** What people call the parts of a data set. */
const NAMES: Readonly<Record<string, PartName>> = {
  train: 'train',
  training: 'train',
  trainval: 'train',
  val: 'val',
  valid: 'val',
  validation: 'val',
  dev: 'val',
  test: 'test',
  testing: 'test',
};

/** The part that a path belongs to by the name of its file or of its folders, the last one first:
 *  annotations/instances_val2017.json belongs to `val`. Undefined if no name says so. */
export function partOf(path: string): PartName | undefined {
  for (const name of path.split('/').reverse()) {
    const words = name.toLowerCase().split(/[^a-z]+/);
    const word = words.find((one) => Object.hasOwn(NAMES, one));
    if (word !== undefined) return NAMES[word];
  }
  return undefined;
}

export type Split<T> = Partial<Record<PartName, T[]>>;

/** Sorts paths by their parts. Those without a part are the training part if nothing else is. */
export function splitByPart(paths: readonly string[]): Split<string> {
  const split: Split<string> = {};
  const others: string[] = [];
  for (const path of paths) {
    const part = partOf(path);
    if (part) (split[part] ??= []).push(path);
    else others.push(path);
  }
  if (!split.train && others.length > 0) split.train = others;
  return split;
}

/** The parts as the options of a recipe have them: one path as a text, several as a list. */
export function placesOf(split: Split<string>): Partial<Record<PartName, string | string[]>> {
  return Object.fromEntries(
    Object.entries(split).map(([part, paths]) => [part, paths.length === 1 ? paths[0]! : paths]),
  );
}

/** The folders of some files, by part: the deepest folder that holds all files of that part, or each of its folders if
 *  that one holds files of no part or of another part too. */
export function foldersByPart(files: readonly string[]): Split<string> {
  const all = files.map(folderOf);
  const split = splitByPart(all);
  return Object.fromEntries(
    Object.entries(split).map(([part, folders]) => {
      const own = new Set(folders);
      const common = commonFolder(folders);
      return [part, all.some((folder) => !own.has(folder) && isInside(folder, common)) ? outermost(own) : [common]];
    }),
  );
}

/** The parts of a guess that are files, and those of the files that belong to no part though others do. */
export const filesInParts = (files: readonly string[]): Pick<Guess, 'parts' | 'unread'> => ({
  parts: placesOf(splitByPart(files)),
  unread: withoutPart(files),
});

/** The parts of a guess that are folders, and the folders of files that belong to no part though others do. */
export const foldersInParts = (files: readonly string[]): Pick<Guess, 'parts' | 'unread'> => ({
  parts: placesOf(foldersByPart(files)),
  unread: [...new Set(withoutPart(files.map(folderOf)))],
});

/** The parts of a guess whose files may say of each of their entries to which part it belongs: `partsIn` gives those
 *  parts, none for a file that does not say so. */
export async function entriesInParts(
  files: readonly string[],
  partsIn: (file: string) => Promise<Iterable<PartName>>,
): Promise<Pick<Guess, 'parts' | 'unread'>> {
  const inside: Split<string> = {};
  const others: string[] = [];
  for (const file of files) {
    const parts = new Set(await partsIn(file));
    for (const part of parts) (inside[part] ??= []).push(file);
    if (parts.size === 0) others.push(file);
  }
  const outside = inside.train ? others.filter((file) => partOf(file) !== undefined) : others;
  const split: Split<string> = { ...inside };
  for (const [part, more] of Object.entries(splitByPart(outside)) as [PartName, string[]][])
    split[part] = [...(split[part] ?? []), ...more];
  const read = new Set(Object.values(split).flat());
  return { parts: placesOf(split), unread: files.filter((file) => !read.has(file)) };
}

const withoutPart = (paths: readonly string[]): string[] =>
  paths.some((path) => partOf(path) === 'train') ? paths.filter((path) => partOf(path) === undefined) : [];

/** Whether a folder is another one, or lies inside of it. */
export const isInside = (folder: string, outer: string): boolean =>
  outer === '.' || folder === outer || folder.startsWith(`${outer}/`);

/** The folders that lie in none of the others, sorted. */
const outermost = (folders: ReadonlySet<string>): string[] =>
  [...folders].filter((one) => ![...folders].some((other) => other !== one && isInside(one, other))).sort();

export const folderOf = (path: string): string => path.slice(0, Math.max(path.lastIndexOf('/'), 0)) || '.';

function commonFolder(folders: readonly string[]): string {
  const [first = '.', ...rest] = folders.map((folder) => folder.split('/'));
  if (typeof first === 'string') return first;
  const depth = rest.reduce((least, other) => {
    let same = 0;
    while (same < least && first[same] === other[same]) same++;
    return same;
  }, first.length);
  return first.slice(0, depth).join('/') || '.';
}
