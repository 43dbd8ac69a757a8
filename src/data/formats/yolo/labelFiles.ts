import { basename, join, relative, sep } from 'node:path';
import { listFolder } from '../../image/imageFiles.js';
import { indexByStem } from '../stemIndex.js';
import { NAMES_FILE, STUDIO_PREFIX } from './detect.js';

/** The folder of the label files for a folder of images, by rule: labels/ where the path has images/, the same folder, a
 *  folder labels inside of it, or one beside it. */
const RULES: readonly ((images: string) => string | undefined)[] = [
  (images) => {
    const slashed = `${images.split(sep).join('/')}/`;
    const at = slashed.toLowerCase().lastIndexOf('/images/');
    return at < 0 ? undefined : join(slashed.slice(0, at), 'labels', slashed.slice(at + '/images/'.length));
  },
  (images) => images,
  (images) => join(images, 'labels'),
  (images) => join(images, '..', 'labels'),
];

const withoutExtension = (path: string): string => path.replace(/\.[^./\\]+$/, '');

/** The label files of images: those that the rule gives which finds most of them, since an image without a label file
 *  has no objects. Where no rule finds any, the only text files of the images' names in the data set. */
export async function findLabelFiles(images: readonly string[], root: string): Promise<Map<string, string>> {
  const listings = new Map<string, Promise<ReadonlyMap<string, string>>>();
  const listing = (folder: string): Promise<ReadonlyMap<string, string>> => {
    const known = listings.get(folder) ?? listFolder(folder).then(byStem);
    listings.set(folder, known);
    return known;
  };
  const byFolder = new Map<string, string[]>();
  for (const image of images) {
    const cut = image.lastIndexOf(sep);
    const known = byFolder.get(image.slice(0, cut));
    if (known) known.push(image.slice(cut + 1));
    else byFolder.set(image.slice(0, cut), [image.slice(cut + 1)]);
  }
  let best = new Map<string, string>();
  for (const rule of RULES) {
    const found = new Map<string, string>();
    for (const [folder, names] of byFolder) {
      const place = rule(folder)?.replace(/[\\/]$/, '');
      const stems = place === undefined ? undefined : await listing(place);
      if (stems === undefined || stems.size === 0) continue;
      const labels = names.map((name) => stems.get(stemOf(name)));
      const taken = new Set(labels);
      names.forEach((name, i) => {
        const other = stems.get(anyCase(stemOf(name)));
        const label = labels[i] ?? (taken.has(other) ? undefined : other);
        if (label !== undefined) found.set(`${folder}${sep}${name}`, `${place!}${sep}${label}`);
      });
    }
    if (found.size > best.size) best = found;
  }
  return best.size > 0 ? best : anywhere(images, root);
}

const stemOf = (name: string): string => withoutExtension(name).normalize();

/** The key of names that are the same but for their case: with a slash, which no name has. */
const anyCase = (stem: string): string => `/${stem.toLowerCase()}`;

/** Label files by their stems, and by those in any case or without the prefix of Label Studio where only one file has
 *  it. */
function byStem(names: ReadonlySet<string>): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  const twice = new Set<string>();
  for (const name of names) {
    if (!/\.txt$/i.test(name) || NAMES_FILE.test(name)) continue;
    const [stem, key] = [stemOf(name), anyCase(stemOf(name))];
    found.set(stem, name);
    for (const other of new Set([key, anyCase(stem.replace(STUDIO_PREFIX, ''))])) {
      if (found.has(other)) twice.add(other);
      else found.set(other, name);
    }
  }
  for (const key of twice) found.delete(key);
  return found;
}

/** The label files in the folders of those that were found which are called like no image, sorted. */
export async function lonelyLabels(found: Iterable<string>, images: readonly string[]): Promise<string[]> {
  const used = new Set(found);
  const folders = new Set([...used].map((file) => file.slice(0, file.lastIndexOf(sep))));
  const lonely: string[] = [];
  let stems: ReadonlySet<string> | undefined;
  for (const folder of folders)
    for (const name of await listFolder(folder)) {
      if (!/\.txt$/i.test(name) || NAMES_FILE.test(name) || used.has(`${folder}${sep}${name}`)) continue;
      stems ??= new Set(images.map((image) => anyCase(stemOf(image.slice(image.lastIndexOf('/') + 1)))));
      if (!stems.has(anyCase(stemOf(name)))) lonely.push(`${folder}${sep}${name}`);
    }
  return lonely.sort();
}

async function anywhere(images: readonly string[], root: string): Promise<Map<string, string>> {
  const index = await indexByStem(root, /\.txt$/i);
  const found = new Map<string, string>();
  for (const image of images) {
    const path = withoutExtension(relative(root, image).split(sep).join('/'));
    const [first, second] = [path, basename(path)].map(index.find).find(({ length }) => length > 0) ?? [];
    if (first !== undefined && second === undefined) found.set(image, join(root, first));
  }
  return found;
}
