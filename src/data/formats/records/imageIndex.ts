import { join } from 'node:path';
import type { PartName } from '../../sample.js';
import { readingsOf } from '../../image/readings.js';
import { listFiles } from '../detect/listing.js';
import { folderOf, partOf } from '../detect/parts.js';

/** All images of a data set, by their names without folders. */
export interface ImageIndex {
  /** The image that a name means, or why it is not clear; undefined if there is none. One of the wanted extension comes
   *  first, then one whose name is whole; among several, that in the folder `near`, or whose folders have most in common
   *  with it, or one of the same part. */
  find(name: string, part: PartName, near: string): { readonly file: string } | { readonly reason: string } | undefined;
}

const keyOf = (name: string): string => name.normalize().toLowerCase();
const stemOf = (name: string): string => name.replace(/\.[^.]{1,5}$/, '');
const lastOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

/** Lists the images below a folder. */
export async function indexImages(root: string): Promise<ImageIndex> {
  const { images } = await listFiles(root);
  const byName = new Map<string, string[]>();
  const byStem = new Map<string, string[]>();
  for (const image of images) {
    add(byName, keyOf(lastOf(image)), image);
    add(byStem, keyOf(stemOf(lastOf(image))), image);
  }
  return {
    find: (name, part, near) => {
      const readings = readingsOf(name);
      const [whole, short] = [false, true].map((isShort) => [
        ...new Set(readings.filter((one) => one.isShort === isShort).map(({ path }) => keyOf(lastOf(path)))),
      ]) as [string[], string[]];
      for (const [list, names] of [
        [byName, whole],
        [byName, short],
        [byStem, whole],
        [byStem, short],
      ] as const) {
        const found = [...new Set(names.flatMap((one) => list.get(one) ?? []))];
        const shared = Math.max(...found.map((path) => sharedFolders(folderOf(path), near)));
        const wanted = name.replaceAll('\\', '/').normalize().toLowerCase();
        const closest = narrow(found, [
          (path) => folderOf(path) === near,
          (path) => keyOf(path).endsWith(`/${wanted}`) || stemOf(keyOf(path)).endsWith(`/${wanted}`),
          (path) => shared > 0 && sharedFolders(folderOf(path), near) === shared,
          (path) => partOf(path) === part,
          (path) => partOf(path) === undefined,
        ]);
        const [first, second] = closest;
        if (second !== undefined) return { reason: `"${name}" may be ${first!} or ${second}` };
        if (first !== undefined) return { file: join(root, first) };
      }
      return undefined;
    },
  };
}

/** How many folders two paths have in common at their end: Annotations/a/b and JPEGImages/a/b have two. */
function sharedFolders(one: string, other: string): number {
  const [a, b] = [one, other].map((path) => keyOf(path).split('/').reverse()) as [string[], string[]];
  const end = a.findIndex((name, i) => name !== b[i]);
  return end < 0 ? a.length : end;
}

/** The paths that pass the tests, one after the other; a test that none of the remaining ones passes says nothing. */
function narrow(paths: readonly string[], tests: readonly ((path: string) => boolean)[]): readonly string[] {
  return tests.reduce((left, test) => {
    const passed = left.length < 2 ? [] : left.filter(test);
    return passed.length > 0 ? passed : left;
  }, paths);
}

function add(lists: Map<string, string[]>, key: string, path: string): void {
  const list = lists.get(key);
  if (list) list.push(path);
  else lists.set(key, [path]);
}
