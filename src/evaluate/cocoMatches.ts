import { COCO, COCOeval, type EvalImg, type IouType } from '../pycocotools/index.js';
import type { ClassMatches, Matches } from './matches.js';

/** Number of images evaluated at a time: the time to look up one image and category is proportional to it. */
const CHUNK = 32;
type Areas = readonly [least: number, most: number];
const ALL_AREAS: Areas = [0, 1e5 ** 2];
/** COCO's object sizes: ranges of the area in pixels. */
export const SIZES: ReadonlyMap<string, Areas> = new Map<string, Areas>([
  ['small', [0, 32 ** 2]],
  ['medium', [32 ** 2, 96 ** 2]],
  ['large', [96 ** 2, 1e5 ** 2]],
]);

export interface MatchOptions {
  /** Area of the objects, in pixels. Default: any. */
  readonly areas?: Areas;
  /** Maximum number of detections of an image and category that count. Default: pycocotools'. */
  readonly maxDets?: number | undefined;
}

/** What COCOeval matched, detection by detection. */
export function matchCoco(
  truth: COCO,
  detections: COCO,
  iouType: IouType,
  { areas = ALL_AREAS, maxDets }: MatchOptions = {},
): Matches {
  const { imgIds, catIds, iouThrs } = new COCOeval(truth, detections, iouType).params;
  const collected = new Map(catIds.map((id) => [id, createRows(imgIds.length)]));
  for (let start = 0; start < imgIds.length; start += CHUNK) {
    const chunk = imgIds.slice(start, start + CHUNK);
    const evaluation = new COCOeval(part(truth, chunk), part(detections, chunk), iouType);
    if (maxDets !== undefined) evaluation.params.maxDets = [maxDets];
    evaluation.evaluate();
    const pairs = occupied(chunk, catIds, truth, detections);
    for (const { imgId, catId } of pairs) {
      const cell = evaluation.evaluateImg(imgId, catId, areas);
      if (cell) addCell(collected.get(catId)!, cell, start + chunk.indexOf(imgId));
    }
  }
  return {
    images: imgIds.map((id) => truth.imgs.get(id)?.file_name ?? String(id)),
    thresholds: [...iouThrs],
    classes: catIds.map((id) => sorted(truth.cats.get(id)?.name ?? String(id), collected.get(id)!)),
  };
}

/** A COCO object of these images alone, since an evaluation searches all images of its COCO object. */
const part = (coco: COCO, imgIds: readonly number[]): COCO =>
  new COCO(
    {
      images: imgIds.map((id) => coco.imgs.get(id)!),
      categories: [...coco.cats.values()],
      annotations: imgIds.flatMap((id) => coco.imgToAnns.get(id) ?? []),
    },
    { lenient: true }, // it was checked when it was loaded
  );

interface Rows {
  readonly image: number[];
  readonly score: number[];
  readonly hit: number[];
  readonly ignored: number[];
  readonly objects: Uint32Array;
}

const createRows = (images: number): Rows => ({
  image: [],
  score: [],
  hit: [],
  ignored: [],
  objects: new Uint32Array(images),
});

/** The pairs of image and category that have an object or a detection in this chunk. */
function* occupied(imgIds: readonly number[], catIds: readonly number[], truth: COCO, detections: COCO) {
  for (const imgId of imgIds) {
    const there = new Set<number>();
    for (const coco of [truth, detections])
      for (const { category_id } of coco.imgToAnns.get(imgId) ?? []) there.add(category_id);
    for (const catId of catIds) if (there.has(catId)) yield { imgId, catId };
  }
}

function addCell(rows: Rows, cell: EvalImg, image: number): void {
  rows.objects[image]! += cell.gtIgnore.filter((ignored) => ignored === 0).length;
  const bits = (matrix: readonly number[][], d: number) =>
    matrix.reduce((set, row, t) => (row[d] ? set | (1 << t) : set), 0);
  cell.dtScores.forEach((score, d) => {
    rows.image.push(image);
    rows.score.push(score);
    rows.ignored.push(bits(cell.dtIgnore, d));
    rows.hit.push(bits(cell.dtMatches, d) & ~bits(cell.dtIgnore, d));
  });
}

function sorted(name: string, { image, score, hit, ignored, objects }: Rows): ClassMatches {
  const order = [...score.keys()].sort((a, b) => score[b]! - score[a]!);
  const pick = (values: readonly number[]) => order.map((i) => values[i]!);
  return {
    name,
    image: Int32Array.from(pick(image)),
    score: Float64Array.from(pick(score)),
    hit: Uint16Array.from(pick(hit)),
    ignored: Uint16Array.from(pick(ignored)),
    objects,
  };
}
