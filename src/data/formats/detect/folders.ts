import { counted, type Detect } from './detected.js';
import { foldersByPart, partOf } from './parts.js';

/** Names of folders that hold images of any class. */
const NO_CLASS = /^(?:images?|imgs?|jpegimages|photos?|pictures?|pics|labels?|annotations?|data|raw|all)$/i;

/** A folder for each class. There is no other evidence than the names of folders, so that any other layout comes first. */
export const detectImageFolder: Detect = (listing) => {
  const classes = new Set<string>();
  const parts = new Set<string>();
  for (const image of listing.images) {
    const folders = image.split('/').slice(0, -1);
    const isPart = folders.length > 1 && partOf(folders[0]!) !== undefined && /^[a-z]+$/i.test(folders[0]!);
    const [name] = isPart ? folders.slice(1) : folders;
    if (isPart) parts.add(folders[0]!);
    if (name !== undefined && !NO_CLASS.test(name) && partOf(name) === undefined) classes.add(name);
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
