import { basename, extname } from 'node:path';
import { byKind, type Annotation, type Dataset, type PartName } from '../data/sample.js';
import type { WrittenImage, WrittenObject, WrittenSet } from '../data/formats/writers/writer.js';
import { safeName } from '../safePath.js';

/** A data set to write, and the file of each image. */
export interface Collected {
  readonly set: WrittenSet;
  readonly fileOf: ReadonlyMap<WrittenImage, string>;
  /** Number of images whose names had to change, since another image has the same one. */
  readonly renamed: number;
}

/** Puts the parts of a data set into the form that all layouts are written from. */
export function collect(parts: Partial<Record<PartName, Dataset>>): Collected {
  const fileOf = new Map<WrittenImage, string>();
  const stems = new Set<string>();
  let renamed = 0;
  const present = (['train', 'val', 'test'] as const).filter((part) => parts[part] !== undefined);
  const images = present.flatMap((part) => {
    const dataset = parts[part]!;
    const objectsOf = truthOf(dataset);
    return dataset.annotations.map((annotation): WrittenImage => {
      const written = safeName(basename(annotation.file));
      const extension = extname(written);
      const own = written.slice(0, written.length - extension.length).normalize();
      let stem = own;
      for (let n = 2; stems.has(stem.toLowerCase()); n++) stem = `${own}_${n}`;
      stems.add(stem.toLowerCase());
      if (stem !== own) renamed++;
      const { width, height } = annotation;
      const image = {
        part,
        name: `${stem}${extension}`,
        stem,
        width,
        height,
        ...contents(annotation, dataset, objectsOf),
      };
      fileOf.set(image, annotation.file);
      return image;
    });
  });
  const [first] = present;
  const categories = first === undefined ? [] : parts[first]!.categories.map(({ id, name }) => ({ id, name }));
  return { set: { parts: present, categories, images }, fileOf, renamed };
}

/** The objects of each image of a part, with unclipped boxes. */
function truthOf({ toCoco, categories }: Dataset): ReadonlyMap<string | number, readonly WrittenObject[]> {
  const names = new Map<number, string>(categories.map(({ id, name }) => [id, name]));
  const objects = new Map<string | number, WrittenObject[]>();
  for (const { image_id: image, category_id: id, bbox, area, iscrowd, ignore } of toCoco().annotations) {
    const mark = iscrowd === 1 ? 'crowd' : ignore === 1 ? 'ignore' : undefined;
    const list = objects.get(image) ?? [];
    objects.set(image, list);
    list.push({ category: names.get(id)!, bbox, area, mark });
  }
  return objects;
}

const contents = (
  annotation: Annotation,
  { categories }: Dataset,
  objectsOf: ReadonlyMap<string | number, readonly WrittenObject[]>,
): Pick<WrittenImage, 'objects' | 'label'> =>
  byKind<Annotation, Pick<WrittenImage, 'objects' | 'label'>>(annotation, {
    boxes: ({ imageId }) => ({ objects: objectsOf.get(imageId) ?? [] }),
    wholeImage: ({ label }) => ({ objects: [], label: categories[label]!.name }),
    text: ({ words, boxes }) => ({
      objects: words.map(({ outline, text, dontCare }, i): WrittenObject => {
        const [x1, y1, x2, y2] = [0, 1, 2, 3].map((k) => boxes[4 * i + k]!) as [number, number, number, number];
        const bbox = [x1, y1, x2 - x1, y2 - y1] as const;
        const mark = dontCare ? 'ignore' : undefined;
        return {
          category: categories[0]?.name ?? 'text',
          bbox,
          area: bbox[2] * bbox[3],
          mark,
          word: { outline, text },
        };
      }),
    }),
  });
