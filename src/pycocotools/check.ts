import { CocoError, type CocoErrorCode, type CocoProblem } from './errors.js';
import type { CocoDataset, CocoResult } from './types.js';

/** The ids that an annotation may refer to. Undefined if the file has no such list, so that they cannot be checked. */
interface Known {
  readonly images: ReadonlySet<unknown> | undefined;
  readonly categories: ReadonlySet<unknown> | undefined;
}

export interface CheckOptions {
  /** Accept what upstream accepts: unknown and repeated ids, negative sizes. Damage on which upstream fails is still an
   *  error. */
  readonly lenient?: boolean;
}

/** Check a data set, and throw one E_COCO_… error that lists all problems with their JSON paths. */
export function checkDataset(dataset: unknown, { lenient = false }: CheckOptions = {}): asserts dataset is CocoDataset {
  const found = new Findings(lenient);
  if (!isRecord(dataset)) {
    throw new CocoError({
      code: 'E_COCO_FORMAT',
      message: `a data set is a JSON object with "images", "annotations" and "categories", not ${describe(dataset)}`,
      ...(Array.isArray(dataset) ? { fix: 'this looks like a results file: pass it to loadRes' } : {}),
    });
  }
  const images = checkEntries(found, dataset, 'images', (image, path) => {
    for (const side of ['width', 'height']) if (side in image) found.size(image, side, path);
  });
  const categories = checkEntries(found, dataset, 'categories', () => undefined);
  checkEntries(found, dataset, 'annotations', (annotation, path) => {
    checkAnnotation(found, annotation, path, { images, categories });
  });
  found.throwIfAny();
}

/** Check a list of results against the images and categories to which they belong. Throws as checkDataset does. */
export function checkResults(
  results: unknown,
  known: { readonly images: ReadonlySet<unknown>; readonly categories: ReadonlySet<unknown> },
  { lenient = false }: CheckOptions = {},
): asserts results is readonly CocoResult[] {
  if (!Array.isArray(results)) {
    throw new CocoError({
      code: 'E_COCO_FORMAT',
      message: `results are a JSON array of detections, not ${describe(results)}`,
      ...(isRecord(results) && 'annotations' in results
        ? { fix: 'this looks like an annotation file: pass its detections as a plain array' }
        : {}),
    });
  }
  const found = new Findings(lenient);
  results.forEach((result: unknown, index) => {
    const path = `[${index}]`;
    if (!isRecord(result)) {
      found.add('E_COCO_FORMAT', path, `expected an object, found ${describe(result)}`);
      return;
    }
    const isCaption = 'caption' in result;
    checkAnnotation(found, result, path, isCaption ? { ...known, categories: undefined } : known);
    if (!isCaption) found.number(result, 'score', path);
  });
  found.throwIfAny();
}

/** Check the list `name` of a data set and return the ids in it. */
function checkEntries(
  found: Findings,
  dataset: Record<string, unknown>,
  name: string,
  checkEntry: (entry: Record<string, unknown>, path: string) => void,
): Set<unknown> | undefined {
  const entries = dataset[name];
  if (entries === undefined) return undefined;
  if (!Array.isArray(entries)) {
    found.add('E_COCO_FORMAT', name, `expected an array, found ${describe(entries)}`);
    return undefined;
  }
  const ids = new Set<unknown>();
  entries.forEach((entry: unknown, index) => {
    const path = `${name}[${index}]`;
    if (!isRecord(entry)) {
      found.add('E_COCO_FORMAT', path, `expected an object, found ${describe(entry)}`);
      return;
    }
    if (found.number(entry, 'id', path)) {
      if (ids.has(entry['id']) && !found.lenient) {
        found.add('E_COCO_DUPLICATE_ID', `${path}.id`, `id ${String(entry['id'])} occurs twice`);
      }
      ids.add(entry['id']);
    }
    checkEntry(entry, path);
  });
  return ids;
}

function checkAnnotation(found: Findings, annotation: Record<string, unknown>, path: string, known: Known): void {
  found.reference(annotation, 'image_id', path, known.images, 'E_COCO_IMAGE_ID');
  if (known.categories) found.reference(annotation, 'category_id', path, known.categories, 'E_COCO_CATEGORY_ID');
  if (annotation['area'] !== undefined) found.size(annotation, 'area', path);
  const { bbox } = annotation;
  if (bbox !== undefined && !(Array.isArray(bbox) && bbox.length === 0))
    checkBox(found, bbox, `${path}.bbox`, annotation);
  if (annotation['segmentation'] !== undefined)
    checkSegmentation(found, annotation['segmentation'], `${path}.segmentation`);
  if (annotation['keypoints'] !== undefined && !isNumbers(annotation['keypoints'])) {
    found.add('E_COCO_FIELD', `${path}.keypoints`, `expected numbers, found ${describe(annotation['keypoints'])}`);
  }
}

/** Checks only the form; whether the outline is sound is checked when it is drawn, with the same codes. */
function checkSegmentation(found: Findings, segmentation: unknown, path: string): void {
  if (Array.isArray(segmentation)) {
    const bad = segmentation.findIndex((polygon) => !isNumbers(polygon));
    if (bad >= 0) {
      found.add('E_COCO_POLYGON', `${path}[${bad}]`, `expected [x, y, x, y, …], found ${describe(segmentation[bad])}`);
    }
    return;
  }
  const { size, counts } = isRecord(segmentation) ? segmentation : {};
  if (!isNumbers(size) || size.length !== 2 || !size.every((side) => Number.isInteger(side) && side >= 0)) {
    found.add('E_COCO_RLE', path, `a run-length code needs "size": [height, width], found ${describe(size)}`);
  } else if (typeof counts !== 'string' && !isNumbers(counts)) {
    found.add('E_COCO_RLE', path, `a run-length code needs "counts", found ${describe(counts)}`);
  }
}

function checkBox(found: Findings, bbox: unknown, path: string, annotation: Record<string, unknown>): void {
  const of = annotation['id'] === undefined ? '' : ` of annotation ${describe(annotation['id'])}`;
  if (!Array.isArray(bbox) || bbox.length !== 4) {
    found.add('E_COCO_FIELD', path, `a box is [x, y, width, height], not ${describe(bbox)}${of}`);
    return;
  }
  for (const [i, value] of bbox.entries() as Iterable<[number, unknown]>) {
    if (typeof value !== 'number' || !Number.isFinite(value)) {
      found.add('E_COCO_NUMBER', `${path}[${i}]`, `expected a finite number, found ${describe(value)}${of}`);
    } else if (i >= 2 && value < 0 && !found.lenient) {
      found.add('E_COCO_SIZE', `${path}[${i}]`, `${i === 2 ? 'width' : 'height'} is ${value}${of}`);
    }
  }
}

/** Collects the problems of one pass, and has the small checks that make them. */
class Findings {
  readonly #problems: CocoProblem[] = [];

  constructor(readonly lenient: boolean) {}

  add(code: CocoErrorCode, path: string, message: string): void {
    this.#problems.push({ code, message, where: { path } });
  }

  number(entry: Record<string, unknown>, name: string, path: string): boolean {
    const value = entry[name];
    if (typeof value === 'number' && Number.isFinite(value)) return true;
    if (value === undefined) this.add('E_COCO_FIELD', path, `has no "${name}"`);
    else if (typeof value === 'number') this.add('E_COCO_NUMBER', `${path}.${name}`, `is ${value}`);
    else this.add('E_COCO_FIELD', `${path}.${name}`, `expected a number, found ${describe(value)}`);
    return false;
  }

  size(entry: Record<string, unknown>, name: string, path: string): void {
    if (!this.number(entry, name, path) || this.lenient) return;
    if ((entry[name] as number) < 0) this.add('E_COCO_SIZE', `${path}.${name}`, `${name} is ${entry[name] as number}`);
  }

  reference(
    entry: Record<string, unknown>,
    name: string,
    path: string,
    ids: ReadonlySet<unknown> | undefined,
    code: CocoErrorCode,
  ): void {
    if (!this.number(entry, name, path) || !ids || ids.has(entry[name])) return;
    if (this.lenient) return;
    const what = name === 'image_id' ? 'image' : 'category';
    this.add(code, `${path}.${name}`, `the data set has no ${what} ${entry[name] as number}`);
  }

  throwIfAny(): void {
    if (this.#problems.length > 0) throw new CocoError(this.#problems);
  }
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isNumbers(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'number');
}

/** A short form of a value for an error message. */
export function describe(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (Array.isArray(value)) {
    const isPlain = value.length <= 8 && value.every((item) => typeof item !== 'object' || item === null);
    return isPlain ? truncated(JSON.stringify(value)) : `an array of ${value.length}`; // JSON of 10,000 levels overflows the stack
  }
  if (typeof value === 'number') return String(value); // JSON would make NaN null
  if (isRecord(value)) return 'an object';
  return truncated(JSON.stringify(value));
}

const truncated = (text: string): string => (text.length > 60 ? `${text.slice(0, 57)}…` : text);
