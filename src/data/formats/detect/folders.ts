import { counted, type Detect } from './detected.js';
import { foldersByPart, partOf } from './parts.js';

/** Names of folders that hold images of any class. */
const NO_CLASS = /^(?:images?|imgs?|jpegimages|photos?|pictures?|pics|labels?|annotations?|data|raw|all)$/i;

/** Words that stand beside train or test in the name of a folder: training_set, seg_train. */
const BESIDE = new Set(['set', 'seg', 'data', 'dataset', 'split', 'images', 'img', 'imgs']);

/** Whether a folder is called after a part alone: a class may be called test tube. */
const isPartName = (name: string): boolean =>
  partOf(name) !== undefined &&
  name
    .toLowerCase()
    .split(/[^a-z]+/)
    .every((word) => word === '' || BESIDE.has(word) || partOf(word) !== undefined) &&
  !name.includes(' ');

/** A folder for each class. There is no other evidence than the names of folders, so that any other layout comes first. */
export const detectImageFolder: Detect = (listing) => {
  const classes = new Set<string>();
  const parts = new Set<string>();
  for (const image of listing.images) {
    const folders = image.split('/').slice(0, -1);
    const depth = folders.findIndex((folder, index) => index === folders.length - 1 || !isPartName(folder));
    const name = folders[depth];
    if (name === undefined || NO_CLASS.test(name) || isPartName(name)) continue;
    if (depth > 0) parts.add(folders.slice(0, depth).join('/'));
    classes.add(name);
  }
  if (classes.size < 2) return Promise.resolve(undefined);
  const split = foldersByPart([...parts].map((part) => `${part}/x`));
  const places = Object.fromEntries(Object.entries(split).map(([part, [place]]) => [part, place!]));
  const inParts = parts.size > 0 && places['train'] !== undefined;
  return Promise.resolve({
    certainty: 0.5,
    why: `${counted(classes.size, 'folder')} of images stand for as many classes`,
    parts: inParts ? places : { train: '.' },
  });
};
