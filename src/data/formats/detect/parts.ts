import type { PartName } from '../../sample.js';

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

/** The folders of some files, one for each part: the deepest folder that holds all files of that part. */
export function foldersByPart(files: readonly string[]): Split<string> {
  const split = splitByPart(files.map(folderOf));
  return Object.fromEntries(Object.entries(split).map(([part, folders]) => [part, [commonFolder(folders)]]));
}

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
