import type { WrittenImage, WrittenObject, WrittenSet } from '../data/formats/writers/writer.js';

/** Something that was changed or left out, in words. */
export type Tell = (image: WrittenImage, message: string) => void;

/** Shares of a pixel by which two boxes of one object may differ. */
const SAME = 0.01;

/** Corrects what is certain once a data set is read: boxes are clipped to their image, an object that is listed twice is
 *  kept once, and categories whose names differ only in case or blanks become one, by the name with more objects. */
export function repairSet(set: WrittenSet, tell: Tell): WrittenSet {
  const nameOf = commonNames(set);
  const categories = set.categories.filter(({ name }) => (nameOf.get(name) ?? name) === name);
  const images = set.images.map((image) => {
    const renamed = (name: string): string => {
      const common = nameOf.get(name) ?? name;
      if (common !== name) tell(image, `category "${name}" is called "${common}", as elsewhere`);
      return common;
    };
    const objects = image.objects.map((object) => clip({ ...object, category: renamed(object.category) }, image));
    return {
      ...image,
      objects: withoutTwins(objects, (twin) => {
        tell(image, `a second "${twin.category}" with the same box was removed`);
      }),
      ...(image.label !== undefined && { label: renamed(image.label) }),
    };
  });
  return { ...set, categories, images };
}

/** The common name of each category that has one. */
function commonNames({ categories, images }: WrittenSet): Map<string, string> {
  const counts = new Map<string, number>();
  const count = (name: string) => counts.set(name, (counts.get(name) ?? 0) + 1);
  for (const { objects, label } of images) {
    for (const { category } of objects) count(category);
    if (label !== undefined) count(label);
  }
  const groups = new Map<string, { readonly name: string }[]>();
  for (const category of categories) {
    const plain = category.name.normalize('NFKC').trim().toLowerCase().replace(/\s+/g, ' ');
    groups.set(plain, [...(groups.get(plain) ?? []), category]);
  }
  return new Map(
    [...groups.values()].flatMap((group) => {
      const [best] = [...group].sort((a, b) => (counts.get(b.name) ?? 0) - (counts.get(a.name) ?? 0));
      return group.map(({ name }): [string, string] => [name, best!.name]);
    }),
  );
}

/** An object whose box ends where its image does. A word keeps its outline. */
function clip(object: WrittenObject, { width, height }: WrittenImage): WrittenObject {
  const [x, y, w, h] = object.bbox;
  const [x1, y1] = [Math.max(0, x), Math.max(0, y)];
  const [x2, y2] = [Math.min(width, x + w), Math.min(height, y + h)];
  const isInside = x1 === x && y1 === y && x2 === x + w && y2 === y + h;
  if (object.word || isInside) return object;
  const bbox = [x1, y1, x2 - x1, y2 - y1] as const;
  return { ...object, bbox, area: (object.area * bbox[2] * bbox[3]) / (w * h) };
}

/** The objects without those that have class, box and mark of one before them. */
function withoutTwins(objects: readonly WrittenObject[], onTwin: (twin: WrittenObject) => void): WrittenObject[] {
  const kept: WrittenObject[] = [];
  for (const object of objects) {
    const isTwin = kept.some(
      ({ category, mark, bbox, word }) =>
        category === object.category &&
        mark === object.mark &&
        word?.text === object.word?.text &&
        bbox.every((value, i) => Math.abs(value - object.bbox[i]!) < SAME),
    );
    if (isTwin) onTwin(object);
    else kept.push(object);
  }
  return kept;
}
