import { basename, dirname, join, relative, sep } from 'node:path';
import { listFolder } from '../../image/imageFiles.js';
import { indexByStem } from '../stemIndex.js';
import { NAMES_FILE } from './detect.js';

/** Where the label file of an image may be, by rule: in labels/ where the path of the image has images/, beside the image,
 *  in a folder labels inside of its folder, or beside its folder. */
const RULES: readonly ((image: string) => string | undefined)[] = [
  (image) => {
    const slashed = image.split(sep).join('/');
    const at = slashed.toLowerCase().lastIndexOf('/images/');
    return at < 0 ? undefined : `${slashed.slice(0, at)}/labels/${slashed.slice(at + '/images/'.length)}`;
  },
  (image) => image,
  (image) => join(dirname(image), 'labels', basename(image)),
  (image) => join(dirname(image), '..', 'labels', basename(image)),
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
  let best = new Map<string, string>();
  for (const rule of RULES) {
    const found = new Map<string, string>();
    for (const image of images) {
      const path = rule(image);
      if (path === undefined) continue;
      const folder = dirname(path);
      const name = (await listing(folder)).get(keyOf(withoutExtension(basename(path))));
      if (name !== undefined) found.set(image, join(folder, name));
    }
    if (found.size > best.size) best = found;
  }
  return best.size > 0 ? best : anywhere(images, root);
}

const keyOf = (stem: string): string => stem.normalize().toLowerCase();

const byStem = (names: ReadonlySet<string>): ReadonlyMap<string, string> =>
  new Map(
    [...names]
      .filter((name) => /\.txt$/i.test(name) && !NAMES_FILE.test(name))
      .map((name) => [keyOf(withoutExtension(name)), name]),
  );

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
