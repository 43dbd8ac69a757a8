import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { FinetuneError, type Problem } from '../../errors.js';
import type { Findings } from '../findings.js';
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

/** Reads and checks a COCO annotation file (https://cocodataset.org/#format-data, "Object Detection"; segmentations are
 *  not needed). Problems go to `findings`, a box without area too unless `invalidBoxes` is drop.
 *  Throws E_COCO_FILE if it cannot be read, E_COCO_JSON if it is not JSON, E_COCO_LAYOUT if a list is missing. */
export async function readCocoFile(file: string, invalidBoxes: 'error' | 'drop', findings: Findings) {
  const lists = listsOf(file, parse(file, await read(file)));
  const problem =
    (code: Problem['code'], list: string, index: number, row: Row) =>
    (message: string, fix?: string): Problem => ({
      code,
      message: `${list}[${index}]${isId(row['id']) ? ` (id ${row['id']})` : ''}: ${message}`,
      where: { file },
      ...(fix ? { fix } : {}),
    });

  const categories = new Map<number, Category>();
  const names = new Set<string>();
  lists.categories.forEach((row, index) => {
    const wrong = problem('E_COCO_CATEGORY', 'categories', index, row);
    const { id, name } = row;
    if (!isWhole(id)) findings.problem(wrong('"id" must be a whole number'));
    else if (typeof name !== 'string' || name === '') findings.problem(wrong('"name" must be a text'));
    else if (categories.has(id)) findings.problem(wrong('the id occurs twice'));
    else if (names.has(name)) findings.problem(wrong(`the name "${name}" occurs twice`));
    else {
      categories.set(id, { id: id as CategoryId, name });
      names.add(name);
    }
  });

  const images = new Map<number | string, CocoImage>();
  lists.images.forEach((row, index) => {
    const wrong = problem('E_COCO_IMAGE', 'images', index, row);
    const { id, file_name: fileName, width, height } = row;
    if (!isId(id)) findings.problem(wrong('"id" must be a number or a text'));
    else if (typeof fileName !== 'string' || fileName === '') findings.problem(wrong('"file_name" must be a text'));
    else if (images.has(id)) findings.problem(wrong('the id occurs twice'));
    else if ((width ?? undefined) === undefined && (height ?? undefined) === undefined)
      images.set(id, { id, fileName, size: undefined, objects: [] });
    else if (!isWhole(width) || !isWhole(height) || width < 1 || height < 1)
      findings.problem(wrong('"width" and "height" must be whole numbers above 0'));
    else images.set(id, { id, fileName, size: { width, height }, objects: [] });
  });

  const ids = new Set<number>();
  let highest = lists.annotations.reduce((most, { id }) => (isWhole(id) && id > most ? id : most), 0);
  lists.annotations.forEach((row, index) => {
    const wrong = problem('E_COCO_ANNOTATION', 'annotations', index, row);
    const { id = ++highest, image_id: imageId, category_id: categoryId, bbox, area, iscrowd, ignore } = row;
    const image = isId(imageId) ? images.get(imageId) : undefined;
    const category = isWhole(categoryId) ? categories.get(categoryId) : undefined;
    if (!isWhole(id)) findings.problem(wrong('"id" must be a whole number'));
    else if (ids.has(id)) findings.problem(wrong('the id occurs twice'));
    else if (!image) findings.problem(wrong(`"image_id" ${JSON.stringify(imageId)} is not in images`));
    else if (!category) findings.problem(wrong(`"category_id" ${JSON.stringify(categoryId)} is not in categories`));
    else if (!isBox(bbox)) findings.problem(wrong('"bbox" must be four numbers: x, y, width, height'));
    else if (bbox[2] <= 0 || bbox[3] <= 0) {
      ids.add(id);
      findings.report(invalidBoxes, 'box without area', () =>
        problem('E_COCO_BOX', 'annotations', index, row)(`box [${bbox.join(', ')}] has no area`, DROP_HINT),
      );
    } else {
      ids.add(id);
      image.objects.push({
        id,
        category: category.name,
        bbox,
        area: typeof area === 'number' && area >= 0 ? area : bbox[2] * bbox[3],
        iscrowd: iscrowd === 1 || iscrowd === true ? 1 : 0,
        ...(ignore === 1 || ignore === true ? { ignore: 1 } : {}),
        problem: (message) => problem('E_COCO_BOX', 'annotations', index, row)(message, DROP_HINT),
      });
    }
  });
  return { categories: [...categories.values()], images: [...images.values()] } satisfies CocoFile;
}

const DROP_HINT = 'fix the file, or set data.invalidBoxes: drop (the report counts them)';

async function read(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const message =
      code === 'ENOENT'
        ? 'no such annotation file'
        : code === 'ERR_STRING_TOO_LONG'
          ? 'the file is larger than 512 MB, which JavaScript cannot hold as one string; split it'
          : `cannot be read (${code ?? String(error)})`;
    throw new FinetuneError({ code: 'E_COCO_FILE', message, where: { file } }, { cause: error });
  }
}

function parse(file: string, text: string): unknown {
  try {
    return JSON.parse(text.startsWith('\ufeff') ? text.slice(1) : text);
  } catch (error) {
    const { message } = error as SyntaxError;
    const offset = /position (\d+)/.exec(message)?.[1]; // V8's wording; if it changes, only the file is named
    const before = offset === undefined ? undefined : text.slice(0, Number(offset)).split('\n');
    const place = before && { line: before.length, column: before.at(-1)!.length + 1 };
    throw new FinetuneError(
      { code: 'E_COCO_JSON', message: `not JSON: ${message}`, where: { file, ...place } },
      { cause: error },
    );
  }
}

function listsOf(file: string, json: unknown) {
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
const isBox = (value: unknown): value is [number, number, number, number] =>
  Array.isArray(value) && value.length === 4 && value.every((x) => Number.isFinite(x));
