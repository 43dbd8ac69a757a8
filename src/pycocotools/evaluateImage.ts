import type { Cells } from './cells.js';
import { CellRun } from './evaluate.js';
import type { Params } from './params.js';
import type { Sides, Similarity } from './similarity.js';

/** An entry of upstream's evalImgs: ids of the matches, 0 for none. */
export interface EvalImg {
  readonly image_id: number;
  readonly category_id: number;
  readonly aRng: readonly [number, number];
  readonly maxDet: number;
  readonly dtIds: number[]; // [D] best score first
  readonly gtIds: number[]; // [G] ignored ones last
  readonly dtMatches: number[][]; // [T, D]
  readonly gtMatches: number[][]; // [T, G]
  readonly dtScores: number[]; // [D]
  readonly gtIgnore: number[]; // [G] 0 or 1
  readonly dtIgnore: number[][]; // [T, D] 0 or 1
}

/** The matches of one image and category of a finished evaluation. cocoeval.py, evaluateImg. */
export function evaluateImage(
  {
    params,
    sides,
    cells,
    similarity,
  }: { readonly params: Params; readonly sides: Sides; readonly cells: Cells; readonly similarity: Similarity },
  {
    imgId,
    catId,
    areaRng,
  }: { readonly imgId: number; readonly catId: number; readonly areaRng: readonly [number, number] },
): EvalImg | undefined {
  const image = params.imgIds.indexOf(imgId);
  const category = params.useCats ? params.catIds.indexOf(catId) : 0;
  const cell = cells.image.findIndex((cellImage, c) => cellImage === image && cells.category[c] === category);
  if (cell < 0) return undefined;
  const run = new CellRun(params, sides, cells, similarity);
  if (run.open(cell)) run.setArea(areaRng);
  const { gt, dt } = sides;
  const gtRows = Array.from(run.order.subarray(0, run.numGt), (g) => cells.gtRows[cells.gtStart[cell]! + g]!);
  const dtRows = [...cells.dtRows.subarray(cells.dtStart[cell], cells.dtStart[cell + 1])];
  const ignored = [...run.ignored.subarray(0, run.numGt)];
  const outside = dtRows.map((row) => dt.area[row]! < areaRng[0] || dt.area[row]! > areaRng[1]);
  const result: EvalImg = {
    image_id: imgId,
    category_id: catId,
    aRng: areaRng,
    maxDet: params.maxDets[params.maxDets.length - 1]!,
    dtIds: dtRows.map((row) => dt.id[row]!),
    gtIds: gtRows.map((row) => gt.id[row]!),
    dtMatches: [],
    gtMatches: [],
    dtScores: dtRows.map((row) => dt.score[row]!),
    gtIgnore: ignored,
    dtIgnore: [],
  };
  for (let t = 0; t < params.iouThrs.length; t++) {
    const any = run.match(t);
    const dtMatch = dtRows.map((_, d) => (any ? run.dtMatch[d]! : -1));
    const gtMatch = gtRows.map((_, g) => (any ? run.gtMatch[g]! : -1));
    const matchedIds = dtMatch.map((g) => (g < 0 ? 0 : result.gtIds[g]!));
    result.dtMatches.push(matchedIds);
    result.gtMatches.push(gtMatch.map((d) => (d < 0 ? 0 : result.dtIds[d]!)));
    result.dtIgnore.push(
      dtMatch.map((g, d) => Number((g >= 0 && ignored[g] === 1) || (matchedIds[d] === 0 && outside[d]!))),
    );
  }
  return result;
}
