import { basename } from 'node:path';
import { FinetuneError, type Problem, quoted } from '../../errors.js';
import type { Findings, Note } from '../findings.js';
import { EXCHANGED, orderCorners } from './orderCorners.js';
import { boxOfSegmentation } from './cocoSegmentation.js';
import { readCocoJson } from './cocoJson.js';
import { asNumber, numberList } from './records/readLabels.js';
import type { Extent } from '../image/frame.js';
import type { RawObject } from '../rawDataset.js';
import type { Category, CategoryId } from '../sample.js';

/** The checked contents of a COCO annotation file: every id is known and unique, every box has an area. */
export interface CocoFile {
  readonly categories: readonly Category[];
  readonly images: readonly CocoImage[];
}

export interface CocoImage {
  readonly id: number | string;
  readonly fileName: string;
  /** Undefined if the file does not state it. */
  readonly size: Extent | undefined;
  readonly objects: RawObject[];
}

type Row = Readonly<Record<string, unknown>>;
type Bbox = [x: number, y: number, width: number, height: number];

/** Reads and checks a COCO annotation file (https://cocodataset.org/#format-data, "Object Detection"; segmentations
 *  count where a box is missing). Problems go to `findings`, a box without area too unless `invalidBoxes` is drop.
 *  Throws E_COCO_FILE if it cannot be read, E_ENCODING or E_COCO_JSON if it is not JSON, E_COCO_LAYOUT if a list is
 *  missing. */
export async function readCocoFile(
  file: string,
  invalidBoxes: 'error' | 'drop',
  findings: Findings,
): Promise<CocoFile> {
  const lists = withoutParents(listsOf(file, await readCocoJson(file)), file, findings);
  const locate: Locate = (code, list, index) => (message, fix) => {
    const id = lists[list][index]!['id'];
    return {
      code,
      message: `${list}[${index}]${isId(id) ? ` (id ${id})` : ''}: ${message}`,
      where: { file },
      ...(fix ? { fix } : {}),
    };
  };
  const refused = { categories: new Set<unknown>(), images: new Set<unknown>() };
  const categories = readCategories(lists.categories, locate, findings, refused.categories);
  const images = readImages(lists.images, locate, findings, refused.images);
  readObjects(lists.annotations, { categories, images, refused, invalidBoxes, locate, findings });
  return { categories: [...categories.values()], images: [...images.values()] };
}

/** The lists without the category of id 0 that Roboflow adds as the parent of the others, if no annotation has it. */
function withoutParents(lists: Lists, file: string, findings: Findings): Lists {
  const used = new Set(lists.annotations.map((row) => row['category_id']));
  const parents = new Set(lists.categories.map((row) => row['supercategory']));
  const isParent = ({ id, name, supercategory }: Row): boolean =>
    id === 0 && supercategory === 'none' && parents.has(name) && !used.has(id);
  const categories = lists.categories.filter((row) => !isParent(row));
  if (categories.length === lists.categories.length || categories.length === 0) return lists;
  findings.count('parent of other categories, which is no category itself', () => ({
    message: quoted(lists.categories.find(isParent)!['name'], 60),
    where: { file },
  }));
  return { ...lists, categories };
}

/** Makes the problems of a row. */
type Locate = (code: Problem['code'], list: keyof Lists, index: number) => (message: string, fix?: string) => Problem;

/** The categories by id; what is counted by a text gets a number behind all others. Ids of refused rows are added to `refused`: their annotations are no further problems. */
function readCategories(
  rows: readonly Row[],
  locate: Locate,
  findings: Findings,
  refused: Set<unknown>,
): Map<number | string, Category> {
  const categories = new Map<number | string, Category>();
  let highest = rows.reduce((most, { id }) => Math.max(most, toWhole(id) ?? 0), 0);
  const names = new Set<string>();
  rows.forEach(({ id: written, name }, index) => {
    const wrong = locate('E_COCO_CATEGORY', 'categories', index);
    const id = toId(written);
    if (id === undefined) findings.problem(wrong('"id" must be a whole number or a text'));
    else if (typeof name !== 'string' || name === '') findings.problem(wrong('"name" must be a text'));
    else if (findings.mends && categories.get(id)?.name === name)
      findings.count('category listed twice', () => wrong('the same category again'));
    else if (categories.has(id)) findings.problem(wrong('the id occurs twice'));
    else if (names.has(name)) findings.problem(wrong(`the name "${name}" occurs twice`));
    else {
      const number = isWhole(id) ? id : ++highest;
      categories.set(id, { id: number as CategoryId, name });
      names.add(name);
      if (id !== number)
        findings.count('id of a category that is no number, replaced by one', () => wrong(`its id is ${number} here`));
    }
    if (id === undefined || !categories.has(id)) refused.add(written);
  });
  return categories;
}

/** The images by id; `refused` as for categories. */
function readImages(
  rows: readonly Row[],
  locate: Locate,
  findings: Findings,
  refused: Set<unknown>,
): Map<number | string, CocoImage> {
  const images = new Map<number | string, CocoImage>();
  rows.forEach(({ id, file_name: fileName, ...size }, index) => {
    const wrong = locate('E_COCO_IMAGE', 'images', index);
    const [width, height] = [size['width'], size['height']].map((side) => toWhole(side) ?? side);
    if (!isId(id)) findings.problem(wrong('"id" must be a whole number or a text'));
    else if (typeof fileName !== 'string' || fileName === '') findings.problem(wrong('"file_name" must be a text'));
    else if (findings.mends && images.get(id)?.fileName === fileName)
      findings.count('image listed twice', () => wrong('the same image again'));
    else if (images.has(id)) findings.problem(wrong('the id occurs twice'));
    else if (isUnstated(width) || isUnstated(height)) images.set(id, { id, fileName, size: undefined, objects: [] });
    else if (!isWhole(width) || !isWhole(height) || width < 1 || height < 1)
      findings.problem(wrong('"width" and "height" must be whole numbers above 0'));
    else images.set(id, { id, fileName, size: { width, height }, objects: [] });
    if (isId(id) && !images.has(id)) refused.add(id);
  });
  return images;
}

interface ObjectContext {
  readonly categories: ReadonlyMap<number | string, Category>;
  readonly images: ReadonlyMap<number | string, CocoImage>;
  readonly refused: { readonly categories: ReadonlySet<unknown>; readonly images: ReadonlySet<unknown> };
  readonly invalidBoxes: 'error' | 'drop';
  readonly locate: Locate;
  readonly findings: Findings;
}

/** Puts the annotations into the objects of their images. */
function readObjects(
  rows: readonly Row[],
  { categories, images, refused, invalidBoxes, locate, findings }: ObjectContext,
): void {
  const ids = new Set<number | string>();
  let highest = rows.reduce((most, { id }) => (isWhole(id) && id > most ? id : most), 0);
  rows.forEach((row, index) => {
    const wrong = locate('E_COCO_ANNOTATION', 'annotations', index);
    const { image_id: imageId, bbox: written, area } = row;
    const isTaken = findings.mends && isId(row['id']) && ids.has(row['id']);
    if (isTaken) findings.count('annotation with a new id', () => wrong('the id occurs twice'));
    const { id = ++highest } = isTaken ? {} : row;
    const around = isAbsent(written) ? boxOfSegmentation(row['segmentation']) : undefined;
    const stated = around ?? (isBox(written) ? written : numberList(written));
    const bbox = findings.mends && isBox(stated) ? inOrder(stated, () => wrong(EXCHANGED), findings) : stated;
    if (around) findings.count('box around a segmentation, since there is no bbox', () => wrong('no "bbox"'));
    const image = isId(imageId) ? (images.get(imageId) ?? images.get(otherType(imageId))) : undefined;
    if (refused.images.has(imageId) || refused.categories.has(row['category_id'])) return;
    const category = categories.get(toId(row['category_id']) ?? NaN);
    const [iscrowd, ignore] = [toFlag(row['iscrowd']), toFlag(row['ignore'])];
    if (!isId(id)) findings.problem(wrong('"id" must be a whole number'));
    else if (ids.has(id)) findings.problem(wrong('the id occurs twice'));
    else if (!image) findings.problem(wrong(`"image_id" ${shown(imageId)} is not in images`));
    else if (!category) findings.problem(wrong(`"category_id" ${shown(row['category_id'])} is not in categories`));
    else if (iscrowd === undefined || ignore === undefined)
      findings.problem(wrong(`"${iscrowd === undefined ? 'iscrowd' : 'ignore'}" must be 0 or 1`));
    else if (!isBox(bbox)) findings.problem(wrong('"bbox" must be four numbers: x, y, width, height'));
    else if (bbox[2] <= 0 || bbox[3] <= 0) {
      ids.add(id);
      const flat = locate('E_COCO_BOX', 'annotations', index);
      findings.report(invalidBoxes, 'box without area', () => flat(`box [${bbox.join(', ')}] has no area`, DROP_HINT));
    } else {
      ids.add(id);
      image.objects.push({
        id: isWhole(id) ? id : ++highest,
        category: category.name,
        bbox,
        area: areaOf(area, bbox),
        iscrowd,
        ...(ignore === 1 ? { ignore } : {}),
        problem: (message) => locate('E_COCO_BOX', 'annotations', index)(message, DROP_HINT),
      });
    }
  });
}

/** A box whose negative width or height tells that it was drawn from right to left, or from bottom to top. */
function inOrder([x, y, w, h]: Bbox, note: () => Note, findings: Findings): Bbox {
  const [x1, y1, x2, y2] = orderCorners([x, y, x + w, y + h], note, findings);
  return w < 0 || h < 0 ? [x1, y1, x2 - x1, y2 - y1] : [x, y, w, h];
}

const DROP_HINT = 'fix the file, or set data.invalidBoxes: drop (the report counts them)';

interface Lists {
  readonly images: readonly Row[];
  readonly annotations: readonly Row[];
  readonly categories: readonly Row[];
}

function listsOf(file: string, json: unknown): Lists {
  const object = isRow(json) ? json : {};
  const list = (key: string): readonly Row[] | undefined => {
    const value = object[key];
    return Array.isArray(value) && value.every(isRow) ? value : undefined;
  };
  const [images, annotations, categories] = [list('images'), list('annotations'), list('categories')];
  if (images && annotations && categories) return { images, annotations, categories };
  const absent = Object.entries({ images, annotations, categories }).filter(([, value]) => !value);
  throw new FinetuneError({
    code: 'E_COCO_LAYOUT',
    message: `${basename(file)} has no list ${absent.map(([key]) => `"${key}"`).join(', ')}`,
    where: { file },
    fix: 'a COCO file looks like {"images": [{…}], "annotations": [{…}], "categories": [{…}]}',
  });
}

const isRow = (value: unknown): value is Row => typeof value === 'object' && value !== null && !Array.isArray(value);
const isWhole = (value: unknown): value is number => Number.isSafeInteger(value);
const isId = (value: unknown): value is number | string => isWhole(value) || typeof value === 'string';
/** Sizes that some programs write for "unknown". */
const isUnstated = (value: unknown): boolean => value === undefined || value === null || value === 0;

/** A whole number, which may be written as a text. */
function toWhole(value: unknown): number | undefined {
  const number = typeof value === 'string' && /^-?\d+$/.test(value) ? Number(value) : value;
  return isWhole(number) ? number : undefined;
}

/** The same id as a number instead of a text, or the other way round. */
const otherType = (id: number | string): number | string =>
  typeof id === 'number' ? String(id) : (toWhole(id) ?? NaN);

/** A whole number, or another text: ids beyond 2^53 are texts, too. */
const toId = (value: unknown): number | string | undefined =>
  toWhole(value) ?? (typeof value === 'string' && value !== '' ? value : undefined);

/** 0 or 1 from the values that programs write for no and yes; undefined for any other. */
function toFlag(value: unknown): 0 | 1 | undefined {
  if (value === undefined || value === null || value === 0 || value === false || value === '0') return 0;
  if (value === 1 || value === true || value === '1') return 1;
  return typeof value === 'string' ? { true: 1 as const, false: 0 as const }[value.toLowerCase()] : undefined;
}

/** A box that is not stated: it is missing, or an empty list. */
const isAbsent = (bbox: unknown): boolean =>
  bbox === undefined || bbox === null || (Array.isArray(bbox) && bbox.length === 0);

/** The area that is stated, or that of the box. */
function areaOf(stated: unknown, [, , w, h]: RawObject['bbox']): number {
  const area = asNumber(stated);
  return area !== undefined && area >= 0 ? area : w * h;
}

const shown = (value: unknown): string => quoted(value, 60);
const isBox = (value: unknown): value is Bbox =>
  Array.isArray(value) && value.length === 4 && value.every((x) => Number.isFinite(x));
