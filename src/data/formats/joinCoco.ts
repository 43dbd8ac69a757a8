import { relative, sep } from 'node:path';
import type { Findings } from '../findings.js';
import type { RawImage, ReadPart } from '../rawDataset.js';
import type { Category, CategoryId } from '../sample.js';

/** Joins what several annotation files say about one part. Categories are the same if they have the same name, and images
 *  if they are the same file; ids count in their own file alone, so that images get their paths instead, and objects are
 *  numbered. An image that two files label differently is a problem: E_COCO_IMAGE. */
export function joinCoco(parts: readonly ReadPart[], root: string, findings: Findings): ReadPart {
  const [first] = parts as [ReadPart];
  if (parts.length === 1) return first;
  const images = new Map<string, { readonly image: RawImage; readonly place: string }>();
  let id = 0;
  for (const { images: own, place } of parts) {
    for (const image of own) {
      const { file, objects } = image;
      const before = images.get(file);
      const where = { file: place };
      if (!before) {
        const imageId = relative(root, file).split(sep).join('/');
        const numbered = objects.map((object) => ({ ...object, id: ++id }));
        images.set(file, { image: { ...image, imageId, objects: numbered }, place });
      } else if (keyOf(before.image) === keyOf(image))
        findings.count('image listed twice', () => ({ message: `"${image.fileName}" again`, where }));
      else
        findings.problem({
          code: 'E_COCO_IMAGE',
          message: `"${image.fileName}" has other boxes here than in ${before.place}`,
          where,
          fix: 'name the annotation file that is right in data, or move the other one out of the folder',
        });
    }
  }
  const categories = joinCategories(parts);
  return { ...first, categories, images: [...images.values()].map(({ image }) => image) };
}

/** The images of one annotation file, each file once: an entry that leads to the same file as another one is counted if it
 *  has the same boxes, and a problem if it has others, since names without their folders lead to the wrong image. */
export function withoutRepeats(images: readonly RawImage[], place: string, findings: Findings): RawImage[] {
  const firsts = new Map<string, RawImage>();
  const doubtful = new Set<string>();
  for (const image of images) {
    const before = firsts.get(image.file);
    const where = { file: place };
    if (!before) firsts.set(image.file, image);
    else if (keyOf(before) === keyOf(image))
      findings.count('image listed twice', () => ({ message: `"${image.fileName}" again`, where }));
    else {
      doubtful.add(image.file);
      findings.problem({
        code: 'E_COCO_IMAGE',
        message: `the images of id ${before.imageId} and ${image.imageId} are both the file "${image.fileName}", and have other boxes`,
        where,
        fix: 'write the names with their folders if they are different images, or remove one of the entries',
      });
    }
  }
  return [...firsts.values()].filter(({ file }) => !doubtful.has(file));
}

const keyOf = ({ objects }: RawImage): string =>
  JSON.stringify(objects.map(({ category, bbox }) => `${category} ${bbox.join(' ')}`).sort());

/** The categories of all files by their names; an id that is taken is replaced by a free one. */
function joinCategories(parts: readonly ReadPart[]): Category[] {
  const byName = new Map<string, Category>();
  const used = new Set<number>();
  for (const { id, name } of parts.flatMap(({ categories }) => categories)) {
    if (byName.has(name)) continue;
    let free: number = id;
    while (used.has(free)) free++;
    used.add(free);
    byName.set(name, { id: free as CategoryId, name });
  }
  return [...byName.values()];
}
