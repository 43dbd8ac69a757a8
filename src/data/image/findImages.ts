import { dirname, isAbsolute, join, sep } from 'node:path';
import { listFolder } from './imageFiles.js';
import { readingsOf, type Change, type Reading } from './readings.js';

/** Where the images of a part are. */
export interface ImagePlaces {
  /** The folder to which the names are relative. */
  readonly folder: string;
  /** Other folders to which they may be relative, such as that of the annotation file. */
  readonly others?: readonly string[];
}

/** The file that a name leads to, and how the name had to be changed; or why it leads to none. */
export type Found =
  | { readonly file: string; readonly changes: readonly Change[] }
  | { readonly file?: undefined; readonly reason: string | undefined };

/** Finds the files of images by their names in an annotation file. A name that exists as it stands, relative to
 *  `folder`, is that file. Otherwise the reading of the name that keeps most of it counts, if it leads to exactly one
 *  file that no other name leads to. Each folder is read once. */
export async function findImages(names: Iterable<string>, places: ImagePlaces): Promise<Map<string, Found>> {
  const folders = new FolderCache();
  const found = new Map<string, Found>();
  const owners = new Map<string, string>();
  const absent: string[] = [];
  for (const name of new Set(names)) {
    const file = await folders.exact(places.folder, name);
    if (file === undefined) absent.push(name);
    else {
      found.set(name, { file, changes: [] });
      owners.set(file, name);
    }
  }
  for (const name of absent) {
    const one = await findByReading(name, places, folders);
    const owner = one.file === undefined ? undefined : owners.get(one.file);
    if (one.file !== undefined && owner === undefined) owners.set(one.file, name);
    found.set(name, owner === undefined ? one : { reason: `"${name}" and "${owner}" both lead to ${one.file!}` });
    if (owner !== undefined && isChanged(found.get(owner)))
      found.set(owner, { reason: `"${owner}" and "${name}" both lead to ${one.file!}` });
  }
  return found;
}

const isChanged = (found: Found | undefined): boolean => found?.file !== undefined && found.changes.length > 0;

async function findByReading(name: string, places: ImagePlaces, folders: FolderCache): Promise<Found> {
  const readings = readingsOf(name).sort((a, b) => b.kept - a.kept);
  const kept = [...new Set(readings.map((reading) => reading.kept))];
  for (const most of kept) {
    const files = new Map<string, readonly Change[]>();
    for (const reading of readings.filter((one) => one.kept === most))
      for (const [file, changes] of await filesOf(reading, places, folders))
        if (!files.has(file)) files.set(file, changes);
    const [first, second] = files;
    if (second) return { reason: `"${name}" may be ${first![0]} or ${second[0]}` };
    if (first) return { file: first[0], changes: first[1] };
  }
  return { reason: undefined };
}

/** The files that a reading leads to from each of the folders. */
async function filesOf(
  { path, isAbsolute: whole, changes }: Reading,
  { folder, others = [] }: ImagePlaces,
  folders: FolderCache,
): Promise<[file: string, changes: readonly Change[]][]> {
  if (whole) {
    const file = isAbsolute(path) ? await folders.exact('/', path) : undefined;
    return file === undefined ? [] : [[file, [...changes, 'an absolute path']]];
  }
  const found: [string, readonly Change[]][] = [];
  for (const base of [folder, ...others]) {
    for (const file of await folders.matches(base, path)) {
      const own: readonly Change[] = isSpelt(file, join(base, path)) ? [] : ['other capitals'];
      const away: readonly Change[] = base === folder ? [] : ['a prefix'];
      found.push([file, [...new Set([...changes, ...away, ...own])]]);
    }
  }
  return found;
}

/** Whether both names are the same text. File systems differ in how they store an accent: in its letter, or after it. */
const isSpelt = (file: string, path: string): boolean => file.normalize() === path.normalize();

interface Listing {
  readonly names: ReadonlySet<string>;
  /** Names by what they have in common with names in other accents and capitals; made on first use. */
  readonly folded: () => ReadonlyMap<string, readonly string[]>;
}

const fold = (name: string): string => name.normalize('NFC').toLowerCase();

/** Lists each folder once. Folders that are known already are looked up without waiting: a part may have a hundred
 *  thousand images. */
class FolderCache {
  readonly #known = new Map<string, Listing>();

  /** The file, if its folder has an entry of exactly that name. */
  async exact(folder: string, name: string): Promise<string | undefined> {
    const file = join(folder, name);
    const cut = file.lastIndexOf(sep);
    const parent = file.slice(0, cut);
    const { names } = this.#known.get(parent) ?? (await this.#list(parent));
    return names.has(file.slice(cut + 1)) ? file : undefined;
  }

  /** The files at a path below a folder: the one of that name, or those whose names differ in accents, or in capitals. */
  async matches(base: string, path: string): Promise<string[]> {
    let paths = [base];
    for (const part of path.split('/')) {
      const next: string[] = [];
      for (const folder of paths) {
        if (part === '..') next.push(dirname(folder));
        else
          next.push(...alike(this.#known.get(folder) ?? (await this.#list(folder)), part).map((n) => join(folder, n)));
      }
      paths = next;
      if (paths.length === 0) return [];
    }
    return paths;
  }

  async #list(folder: string): Promise<Listing> {
    const names = await listFolder(folder).catch(() => new Set<string>()); // what cannot be listed has no image for us
    let folded: Map<string, string[]> | undefined;
    const listing = { names, folded: () => (folded ??= foldAll(names)) };
    this.#known.set(folder, listing);
    return listing;
  }
}

function foldAll(names: ReadonlySet<string>): Map<string, string[]> {
  const folded = new Map<string, string[]>();
  for (const name of names) {
    const key = fold(name);
    const known = folded.get(key);
    if (known) known.push(name);
    else folded.set(key, [name]);
  }
  return folded;
}

/** The entries of a folder that a name may mean: that of the name, or those in other accents, or in other capitals. */
function alike({ names, folded }: Listing, name: string): readonly string[] {
  if (names.has(name)) return [name];
  if (names.size === 0) return [];
  const others = folded().get(fold(name)) ?? [];
  const sameCase = others.filter((other) => other.normalize() === name.normalize());
  return sameCase.length > 0 ? sameCase : others;
}
