import { xyxy } from '../geometry/box.js';
import { FinetuneError, type Problem } from '../errors.js';
import type { Findings } from './findings.js';
import type { Annotation, Category, CategoryId, ClassIndex, CocoGroundTruth, Dataset } from './sample.js';

/** An object as its file has it: any format, before it is checked against the image and the categories to learn. */
export interface RawObject {
  readonly id: number;
  readonly category: string;
  /** x, y, width, height; 0-based pixels of the upright image, not clipped. Width and height are positive. */
  readonly bbox: readonly [number, number, number, number];
  readonly area: number;
  readonly iscrowd: 0 | 1;
  readonly ignore?: 0 | 1;
  /** The problem `message` says of this object, located in its file. */
  readonly problem: (message: string) => Problem;
}

export interface RawImage {
  readonly imageId: string | number;
  /** Absolute path. */
  readonly file: string;
  readonly fileName: string;
  readonly width: number;
  readonly height: number;
  readonly objects: readonly RawObject[];
}

/** A part as read, before it is known what to learn: the parts must agree on that. */
export interface ReadPart {
  /** Names of the categories: in the file's order (COCO), or those of the objects, sorted (VOC). */
  readonly names: readonly string[];
  /** Check against the categories to learn, given by name. Throws E_DATA_CATEGORY; the rest goes to the findings that it was read with. */
  build(names: readonly string[]): Dataset;
}

/** What to do with a box without area or outside its image, and with an image that is missing or cannot be decoded. */
export interface DropPolicies {
  readonly invalidBoxes?: 'error' | 'drop';
  readonly brokenImages?: 'error' | 'drop';
}

/** COCO's own files exceed their images by a hundredth of a pixel here and there; that is rounding, not worth a count. */
const ROUNDING = 0.05;

/** Checks raw images against their sizes and the categories to learn: boxes are clipped to the image (counted), those
 *  outside it are a problem or dropped, objects of other categories are left out (counted). Adds problems to `findings`
 *  and leaves it to the caller to throw. */
export function buildDataset(
  name: string,
  categories: readonly Category[],
  images: readonly RawImage[],
  findings: Findings,
  { invalidBoxes = 'error' }: DropPolicies = {},
): Dataset {
  const classOf = new Map(categories.map((category, index) => [category.name, index as ClassIndex]));
  const annotations: Annotation[] = [];
  const truth: CocoGroundTruth['annotations'][number][] = [];

  for (const image of images) {
    const { imageId, file, width, height, objects } = image;
    const learned: RawObject[] = [];
    const corners: number[] = [];
    const classes: ClassIndex[] = [];
    const ignore: boolean[] = [];
    for (const object of objects) {
      const { id, category, bbox, area, iscrowd, ignore: ignored, problem } = object;
      const classIndex = classOf.get(category);
      if (classIndex === undefined) {
        findings.count('object of a category that is not learned');
        continue;
      }
      const [x, y, w, h] = bbox;
      const x1 = Math.max(0, x);
      const y1 = Math.max(0, y);
      const x2 = Math.min(width, x + w);
      const y2 = Math.min(height, y + h);
      if (x2 <= x1 || y2 <= y1) {
        findings.report(invalidBoxes, 'box outside its image', () =>
          problem(`box x ${x}, y ${y}, width ${w}, height ${h} outside the ${width}x${height} image`),
        );
        continue;
      }
      if (Math.max(x1 - x, y1 - y, x + w - x2, y + h - y2) > ROUNDING)
        findings.count('box clipped to the image', () =>
          problem(`box x ${x}, y ${y}, width ${w}, height ${h} reaches beyond the ${width}x${height} image`),
        );
      learned.push(object);
      corners.push(x1, y1, x2, y2);
      classes.push(classIndex);
      ignore.push(iscrowd === 1 || ignored === 1);
      const { id: categoryId } = categories[classIndex]!;
      truth.push({
        id,
        image_id: imageId,
        category_id: categoryId,
        bbox,
        area,
        iscrowd,
        ...(ignored === undefined ? {} : { ignore: ignored }),
      });
    }
    findings.inspect?.(image, learned);
    annotations.push({ imageId, file, width, height, boxes: xyxy(corners), classes, ignore });
  }

  const toCoco = (): CocoGroundTruth => ({
    images: images.map(({ imageId, width, height, fileName }) => ({ id: imageId, width, height, file_name: fileName })),
    categories: categories.map(({ id, name }) => ({ id, name })),
    annotations: truth,
  });
  return { name, categories, annotations, dropped: findings.dropped, toCoco };
}

/** The categories called `wanted`, in that order; all of them without it. Throws E_DATA_CATEGORY with every unknown name. */
export function selectCategories(
  available: readonly Category[],
  wanted: readonly string[] | undefined,
  file: string,
): Category[] {
  if (!wanted) return [...available];
  const byName = new Map(available.map((category) => [category.name, category]));
  const unknown = wanted.filter((name) => !byName.has(name));
  if (unknown.length > 0) {
    const names = available.map(({ name }) => name).join(', ');
    throw new FinetuneError({
      code: 'E_DATA_CATEGORY',
      message: `no category ${unknown.map((name) => `"${name}"`).join(', ')} here`,
      where: { file },
      fix: `it has: ${names}`,
    });
  }
  return wanted.map((name) => byName.get(name)!);
}

/** Names as categories with the ids 1…K, in that order: for formats without ids of their own. */
export const numberCategories = (names: readonly string[]): Category[] =>
  names.map((name, index) => ({ id: (index + 1) as CategoryId, name }));
