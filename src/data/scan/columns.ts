import { sep } from 'node:path';
import { xyxy } from '../../geometry/box.js';
import type { Annotation, Category, ClassIndex, CocoGroundTruth, Dataset, Dropped } from '../sample.js';

/** A part of a data set with a list for each field, which is read many times as fast as a list of images. */
export interface Columns {
  readonly name: string;
  readonly categories: readonly Category[];
  readonly dropped: Dropped;
  readonly kind: 'boxes' | 'wholeImage';
  /** Of each image: its path below the folder of the data set, its id, and its size. */
  readonly files: readonly string[];
  readonly ids: readonly (string | number)[];
  readonly sizes: Uint32Array;
  /** Of each image: its class, or the number of its boxes. */
  readonly labels: Uint32Array;
  readonly boxes: Float32Array;
  readonly classes: Uint32Array;
  readonly ignore: Uint8Array;
  readonly truth: Truth;
}

/** Dataset.toCoco() */
interface Truth {
  readonly categories: CocoGroundTruth['categories'];
  readonly ids: readonly (string | number)[];
  readonly names: readonly string[];
  readonly sizes: Uint32Array;
  /** Of each object: its id, the row of its image, its category, left, top, width, height and area, whether it is a crowd,
   *  and 2 if it says nothing about being ignored. */
  readonly objects: Float64Array;
}

const OBJECT = 10;
const UNSAID = 2;

/** The columns of a part; undefined if its files are not all below the folder, or it has something that columns do not
 *  hold. */
export function toColumns(dataset: Dataset, folder: string): Columns | undefined {
  const { name, categories, dropped, annotations, repeat, old } = dataset;
  const kind = annotations[0]?.kind;
  const start = `${folder}${sep}`;
  const fits = (one: Annotation): boolean => one.kind === kind && one.file.startsWith(start) && one.view === undefined;
  if (repeat || old || kind === undefined || kind === 'text' || !annotations.every(fits)) return undefined;
  const truth = truthOf(dataset.toCoco());
  if (!truth) return undefined;
  const classes = annotations.flatMap((one) => one.classes);
  const boxes = new Float32Array(4 * classes.length);
  let at = 0;
  for (const one of annotations) {
    boxes.set(one.boxes, at);
    at += one.boxes.length;
  }
  return {
    ...{ name, categories, dropped: { ...dropped }, kind, boxes, truth },
    files: annotations.map(({ file }) => file.slice(start.length)),
    ids: annotations.map(({ imageId }) => imageId),
    sizes: sizesOf(annotations),
    labels: Uint32Array.from(annotations, (one) => (one.kind === 'wholeImage' ? one.label : one.classes.length)),
    classes: Uint32Array.from(classes),
    ignore: Uint8Array.from(
      annotations.flatMap((one) => one.ignore),
      Number,
    ),
  };
}

const sizesOf = (images: readonly { readonly width: number; readonly height: number }[]): Uint32Array =>
  Uint32Array.from(images.flatMap(({ width, height }) => [width, height]));

function truthOf({ categories, images, annotations }: CocoGroundTruth): Truth | undefined {
  const rows = new Map(images.map(({ id }, row) => [id, row]));
  if (rows.size < images.length) return undefined;
  const objects = new Float64Array(OBJECT * annotations.length);
  for (const [i, { id, image_id, category_id, bbox, area, iscrowd, ignore, ...more }] of annotations.entries()) {
    const row = rows.get(image_id);
    if (typeof id !== 'number' || row === undefined || Object.keys(more).length > 0) return undefined;
    objects.set([id, row, category_id, ...bbox, area, iscrowd, ignore ?? UNSAID], OBJECT * i);
  }
  return {
    categories,
    objects,
    ids: images.map(({ id }) => id),
    names: images.map(({ file_name }) => file_name),
    sizes: sizesOf(images),
  };
}

/** The part whose columns these are. */
export function fromColumns(columns: Columns, folder: string): Dataset {
  const { name, categories, dropped, kind, files, ids, sizes, labels, boxes, classes, ignore, truth } = columns;
  const names = Array.from(classes) as ClassIndex[];
  const ignored = Array.from(ignore, Boolean);
  let from = 0;
  const annotations = files.map((path, i): Annotation => {
    const to = kind === 'boxes' ? from + labels[i]! : from;
    const own = {
      imageId: ids[i]!,
      file: folder + sep + path,
      width: sizes[2 * i]!,
      height: sizes[2 * i + 1]!,
      boxes: xyxy(boxes.slice(4 * from, 4 * to)),
      classes: names.slice(from, to),
      ignore: ignored.slice(from, to),
    };
    from = to;
    return kind === 'boxes' ? { kind, ...own } : { kind, ...own, label: labels[i] as ClassIndex };
  });
  return { name, categories, dropped, annotations, toCoco: () => cocoOf(truth) };
}

const cocoOf = ({ categories, ids, names, sizes, objects }: Truth): CocoGroundTruth => ({
  images: ids.map((id, i) => ({ id, width: sizes[2 * i]!, height: sizes[2 * i + 1]!, file_name: names[i]! })),
  categories,
  annotations: Array.from({ length: objects.length / OBJECT }, (_, i) => {
    const [id, row, category, x, y, w, h, area, crowd, ignore] = objects.subarray(OBJECT * i, OBJECT * (i + 1)) as unknown as readonly number[]; // prettier-ignore
    return {
      id: id!,
      image_id: ids[row!]!,
      category_id: category!,
      bbox: [x!, y!, w!, h!] as const,
      area: area!,
      iscrowd: crowd as 0 | 1,
      ...(ignore !== UNSAID && { ignore: ignore as 0 | 1 }),
    };
  }),
});
