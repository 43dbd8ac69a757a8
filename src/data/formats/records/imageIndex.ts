import { join } from 'node:path';
import type { PartName } from '../../sample.js';
import { readingsOf } from '../../image/readings.js';
import { listFiles } from '../detect/listing.js';
import { folderOf, partOf } from '../detect/parts.js';

/** All images of a data set, by their names without folders. */
export interface ImageIndex {
  /** The image that a name means, or why it is not clear; undefined if there is none. An image of the same part comes
   *  first, then one of the wanted extension. */
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
      const names = [...new Set(readingsOf(name).map(({ path }) => keyOf(lastOf(path))))];
      const lists = [byName, byStem];
      for (const list of lists) {
        const found = [...new Set(names.flatMap((one) => list.get(one) ?? []))];
        const wanted = name.replaceAll('\\', '/').normalize().toLowerCase();
        const closest = narrow(found, [
          (path) => folderOf(path) === near,
          (path) => keyOf(path).endsWith(`/${wanted}`) || stemOf(keyOf(path)).endsWith(`/${wanted}`),
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

/** The paths that pass the first of the tests that any of them passes. */
function narrow(paths: readonly string[], tests: readonly ((path: string) => boolean)[]): readonly string[] {
  if (paths.length < 2) return paths;
  for (const test of tests) {
    const passed = paths.filter(test);
    if (passed.length > 0) return passed;
  }
  return paths;
}

function add(lists: Map<string, string[]>, key: string, path: string): void {
  const list = lists.get(key);
  if (list) list.push(path);
  else lists.set(key, [path]);
}
