import { COCO, CocoError, loadResFile, type CocoDataset, type CocoResult, type IouType } from '../pycocotools/index.js';
import { createFindings, type Findings } from '../data/findings.js';
import { FinetuneError, type Problem } from '../errors.js';
import { numberIds, renumber, type Lists, type Numbering, type Row } from './cocoIds.js';
import { fromCocoError } from './fromCocoError.js';
import { readScoreFile } from './readScoreFile.js';

/** Ground truth in the form that the evaluator reads. */
export interface CocoTruth {
  readonly coco: COCO;
  readonly numbering: Numbering;
  /** Whether an annotation has the id 0. */
  readonly hasIdZero: boolean;
  /** Number of annotations whose area was missing. */
  readonly withoutArea: number;
}

/** Load an annotation file to score against. Ids may be texts or beyond 2^53, and a box may lack its area: then it is
 *  width × height. Throws every problem of the file: E_COCO_…, E_ENCODING. */
export async function loadTruth(file: string, iouType: IouType): Promise<CocoTruth> {
  const json = await readScoreFile(file);
  for (const name of ['images', 'annotations', ...(iouType === 'keypoints' ? [] : ['categories'])])
    if (isRow(json) && json[name] === undefined) throw lacks(name, file);
  const { images, annotations, categories } = listsOf(json);
  const asWritten = { numbering: { images: undefined, categories: undefined }, hasIdZero: false, withoutArea: 0 };
  if (!isRow(json) || !images || !annotations || (json['categories'] !== undefined && !categories))
    return { ...asWritten, coco: makeCoco(json, file) }; // throws what is wrong

  const findings = createFindings();
  const lists: Lists = { images, annotations, categories: categories ?? [] };
  const numbering = numberIds(lists, findings);
  const objects = numberObjects(renumber(annotations, numbering, 'annotations', findings));
  checkObjects(objects, iouType, findings);
  throwIn(file, findings);
  const complete = iouType === 'bbox' ? objects.map(withArea) : objects;
  const dataset = {
    ...json,
    images: numbering.images ? images.map((row) => numbered(row, numbering.images!)) : images,
    ...(categories && {
      categories: numbering.categories ? categories.map((row) => numbered(row, numbering.categories!)) : categories,
    }),
    annotations: complete,
  };
  return {
    coco: makeCoco(dataset, file),
    numbering,
    hasIdZero: annotations.some(({ id }) => id === 0),
    withoutArea: complete.filter((row, i) => row !== objects[i]).length,
  };
}

const makeCoco = (json: unknown, file: string): COCO => inFile(file, () => new COCO(json as CocoDataset));

/** Load a results file of these images and categories. Throws every problem of the file: E_COCO_…, E_ENCODING. */
export async function loadResults({ coco, numbering }: CocoTruth, file: string): Promise<COCO> {
  if (!numbering.images && !numbering.categories) {
    try {
      return await loadResFile(coco, file);
    } catch (error) {
      const isText = error instanceof CocoError && (error.code === 'E_COCO_ENCODING' || error.code === 'E_COCO_JSON');
      if (!isText) throw error instanceof CocoError ? fromCocoError(error, file) : error; // it may be UTF-16
    }
  }
  const json = await readScoreFile(file);
  const findings = createFindings();
  const results = Array.isArray(json) && json.every(isRow) ? renumber(json, numbering, '', findings) : json;
  throwIn(file, findings);
  return inFile(file, () => coco.loadRes(results as CocoResult[]));
}

function listsOf(json: unknown): { readonly [Name in keyof Lists]: Lists[Name] | undefined } {
  const object = isRow(json) ? json : {};
  const list = (name: string): readonly Row[] | undefined => {
    const value = object[name];
    return Array.isArray(value) && value.every(isRow) ? value : undefined;
  };
  return { images: list('images'), annotations: list('annotations'), categories: list('categories') };
}

/** The row with its number for an id; an image without file name keeps its id as a name. */
function numbered(row: Row, numbers: ReadonlyMap<unknown, number>): Row {
  const { id } = row;
  return { file_name: String(id), name: String(id), ...row, id: numbers.get(id) };
}

/** Replaces the ids of annotations by numbers if some are texts. The score depends only on their being different. */
function numberObjects(rows: readonly Row[]): readonly Row[] {
  return rows.some(({ id }) => typeof id === 'string') ? rows.map((row, i) => ({ ...row, id: i + 1 })) : rows;
}

const NEEDED: Readonly<Record<IouType, readonly string[]>> = {
  bbox: ['bbox'],
  segm: ['segmentation', 'area'],
  keypoints: ['area'],
};

/** Reports every annotation that lacks what its kind of score needs, and every mark of a crowd that is not 0 or 1. */
function checkObjects(rows: readonly Row[], iouType: IouType, findings: Findings): void {
  const isMissing = (value: unknown): boolean => value == null || (Array.isArray(value) && value.length === 0);
  rows.forEach((row, i) => {
    const fail = (message: string) =>
      findings.problem({ code: 'E_COCO_FIELD', message: `annotations[${i}]${message}` });
    for (const field of NEEDED[iouType])
      if (isMissing(row[field])) fail(` (id ${String(row['id'])}): has no "${field}"`);
    const { iscrowd } = row;
    if (typeof iscrowd === 'string') fail(`.iscrowd: expected 0 or 1, found the text ${JSON.stringify(iscrowd)}`);
  });
}

function withArea(row: Row): Row {
  const { area, bbox } = row;
  if (area != null || !Array.isArray(bbox) || !bbox.every((side) => typeof side === 'number')) return row;
  return { ...row, area: bbox[2]! * bbox[3]! };
}

function throwIn(file: string, findings: Findings): void {
  const problems = findings.problems().map((problem): Problem => ({ where: { file }, ...problem }));
  if (problems.length > 0) throw new FinetuneError(problems);
}

/** Runs the work, and converts errors of pycocotools to ours. */
function inFile<T>(file: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw error instanceof CocoError ? fromCocoError(error, file) : error;
  }
}

const lacks = (name: string, file: string): FinetuneError =>
  new FinetuneError({
    code: 'E_COCO_LAYOUT',
    message: `there is no list "${name}"`,
    where: { file },
    fix: 'a COCO file looks like {"images": [{…}], "annotations": [{…}], "categories": [{…}]}',
  });

const isRow = (value: unknown): value is Row => typeof value === 'object' && value !== null && !Array.isArray(value);
