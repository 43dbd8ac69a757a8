import { resolve, sep } from 'node:path';
import { safeName } from '../../safePath.js';
import { addressOf } from '../inputs/fetchImage.js';
import { STDIN } from '../inputs/findInputs.js';

/** What the results of a file are called below the folder for them. */
export interface PlannedName {
  /** Path of the drawing, with forward slashes. */
  readonly picture: string;
  /** The path without its ending, which no other file has. */
  readonly stem: string;
}

/** Names in the folder that are not for drawings. */
export const CSV = 'predictions.csv';
export const CROPS = 'crops';

/** Plans names for the results of files, no two alike, even where capitals do not count: their paths below the folder
 *  that holds them all. What a name may not have on some system is replaced. */
export function planNames(files: readonly string[]): PlannedName[] {
  const named = files.map(nameOf);
  const paths = files.map((file, i) => (named[i] === undefined ? resolve(file).split(sep) : [named[i]]));
  const shared = commonLength(paths.filter((_, i) => named[i] === undefined));
  const taken = new Set<string>();
  return paths.map((parts, i) => {
    const below = named[i] !== undefined ? parts : parts.slice(shared);
    const names = below.map((part, place) =>
      safeName(below.length > 1 && place === 0 && isReserved(part) ? `${part}_` : part),
    );
    const last = names.pop()!;
    const { stem, ending } = split(last);
    for (let count = 1; ; count++) {
      const free = [...names, count === 1 ? stem : `${stem}_${count}`].join('/');
      const key = free.normalize('NFC').toLowerCase();
      if (taken.has(key)) continue;
      taken.add(key);
      return { stem: free, picture: `${free}${ending}` };
    }
  });
}

/** The name of the result of what is no file: stdin, or the last part of an address. */
function nameOf(input: string): string | undefined {
  if (input === STDIN) return 'stdin';
  const url = addressOf(input);
  return url && (decoded(url.pathname.slice(url.pathname.lastIndexOf('/') + 1)) || url.hostname);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

const isReserved = (part: string): boolean => part.toLowerCase() === CROPS;

/** Number of folders that all paths begin with. */
function commonLength(paths: readonly (readonly string[])[]): number {
  const [first] = paths;
  if (!first) return 0;
  let length = first.length - 1;
  for (const path of paths) {
    length = Math.min(length, path.length - 1);
    for (let i = 0; i < length; i++) if (path[i] !== first[i]) length = i;
  }
  return length;
}

/** Formats that browsers show, and that drawings keep. */
const KEPT = /\.(jpe?g|png)$/i;

function split(name: string): { stem: string; ending: string } {
  const ending = /\.[^.]{1,5}$/.exec(name)?.[0] ?? '';
  const stem = ending === name ? name : name.slice(0, name.length - ending.length);
  return { stem, ending: KEPT.test(ending) ? ending : '.jpg' };
}
