import { checkDataset, type CheckOptions } from './check.js';
import { COCO } from './coco.js';
import type { Columns } from './columns.js';
import { readDetections } from './detections.js';
import { inFile } from './errors.js';
import { loadJson, withChunks, type LoadJsonOptions } from './json.js';
import type { CocoResult } from './types.js';

export type LoadOptions = LoadJsonOptions & CheckOptions;

/** Loads an annotation file. Throws as loadJson and COCO's constructor do, each problem with the file's name. */
export async function loadCoco(file: string, options: LoadOptions = {}): Promise<COCO> {
  const dataset = await loadJson(file, options);
  return naming(file, () => {
    checkDataset(dataset, options);
    return new COCO(dataset, { lenient: true }); // it was checked above
  });
}

/** Loads a results file. The result equals cocoGt.loadRes of its content, but plain boxes are never made into objects
 *  on the way.
 *  Throws as loadJson and loadRes do, each problem with the file's name. */
export async function loadResFile(cocoGt: COCO, file: string, options: LoadOptions = {}): Promise<COCO> {
  const table = await withChunks(file, readDetections).catch((error: unknown) => {
    throw inFile(error, file);
  });
  if (table && isSound(table, cocoGt)) return cocoGt.loadResColumns(table);
  const results = await loadJson(file, options);
  return naming(file, () => cocoGt.loadRes(results as readonly CocoResult[], options)); // checks the results itself
}

/** Whether loadRes would accept these detections. */
function isSound({ length, imageId, categoryId, bbox, score }: Columns, cocoGt: COCO): boolean {
  const images = new Set(cocoGt.getImgIds());
  const categories = new Set(cocoGt.getCatIds());
  let lastImage = NaN;
  for (let row = 0; row < length; row++) {
    const image = imageId[row]!;
    if (image !== lastImage && !images.has(image)) return false;
    lastImage = image;
    if (!categories.has(categoryId[row]!) || !Number.isFinite(score[row]!)) return false;
    const box = row * 4;
    if (!Number.isFinite(bbox[box]! + bbox[box + 1]!)) return false;
    if (!(bbox[box + 2]! >= 0 && bbox[box + 3]! >= 0 && bbox[box + 2]! + bbox[box + 3]! < Infinity)) return false;
  }
  return true;
}

function naming<T>(file: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw inFile(error, file);
  }
}
