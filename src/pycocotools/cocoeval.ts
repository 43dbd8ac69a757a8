import { accumulateCells, type Accumulated, type Selection } from './accumulate.js';
import { makeCells, type Cells } from './cells.js';
import type { COCO } from './coco.js';
import { CocoError } from './errors.js';
import { evaluateCells, type Outcomes } from './evaluate.js';
import { evaluateImage, type EvalImg } from './evaluateImage.js';
import { checkParams, copyParams, defaultParams, uniqueSorted, type Params } from './params.js';
import { similarityOf, type Sides, type Similarity } from './similarity.js';
import { summarizeAccumulated } from './summarize.js';
import type { IouType } from './types.js';

/** What evaluate passes on to accumulate; upstream's evalImgs and _paramsEval. */
interface Evaluation {
  readonly params: Params;
  readonly sides: Sides;
  readonly cells: Cells;
  readonly similarity: Similarity;
  readonly outcomes: Outcomes;
  readonly score: Float64Array; // [N] in the cells' order
}

/** COCO's evaluation of detections: evaluate, accumulate, summarize. cocoeval.py, COCOeval, with the same numbers. It
 *  prints nothing: summarize passes its lines to a callback. */
export class COCOeval {
  readonly cocoGt: COCO;
  readonly cocoDt: COCO;
  params: Params;
  #evaluation: Evaluation | undefined;
  #accumulated: Accumulated | undefined;
  #stats: Float64Array | undefined;

  constructor(cocoGt: COCO, cocoDt: COCO, iouType: IouType = 'segm') {
    this.cocoGt = cocoGt;
    this.cocoDt = cocoDt;
    this.params = defaultParams(iouType);
    this.params.imgIds = uniqueSorted(cocoGt.getImgIds());
    this.params.catIds = uniqueSorted(cocoGt.getCatIds());
  }

  /** Match detections and annotations in every image.
   *  Throws E_COCO_PARAMS for settings that make no sense, E_COCO_FIELD, E_COCO_POLYGON, E_COCO_RLE or E_COCO_KEYPOINTS
   *  for an annotation that lacks what its kind needs. */
  evaluate(): void {
    const { params } = this;
    checkParams(params);
    params.imgIds = uniqueSorted(params.imgIds);
    if (params.useCats) params.catIds = uniqueSorted(params.catIds);
    params.maxDets.sort((a, b) => a - b);
    const { cocoGt, cocoDt } = this;
    const sides: Sides = { cocoGt, cocoDt, gt: cocoGt.columns(), dt: cocoDt.columns() };
    const axes = { imgIds: params.imgIds, catIds: params.catIds, useCats: params.useCats === 1 };
    const cells = makeCells(sides.gt, sides.dt, axes, params.maxDets[params.maxDets.length - 1]!);
    const score = scoresOf(sides, cells);
    const similarity = similarityOf(params, sides, cells);
    const outcomes = evaluateCells(params, sides, cells, similarity);
    this.#evaluation = { params: copyParams(params), sides, cells, similarity, outcomes, score };
    this.#accumulated = undefined;
    this.#stats = undefined;
  }

  /** Turn the matches into precision, recall and scores. Settings other than evaluate's may leave out maxDets and
   *  change recThrs; the other axes are then addressed by position, as in upstream.
   *  Throws E_COCO_ORDER before evaluate, E_COCO_PARAMS for other thresholds. */
  accumulate(params: Params = this.params): Accumulated {
    const evaluation = this.#evaluation;
    if (!evaluation) throw new CocoError({ code: 'E_COCO_ORDER', message: 'run evaluate() before accumulate()' });
    checkParams(params);
    if (params.iouThrs.length !== evaluation.params.iouThrs.length) {
      throw new CocoError({
        code: 'E_COCO_PARAMS',
        message: 'accumulate() cannot change the IoU thresholds of evaluate()',
      });
    }
    const selection = select(params, evaluation.params);
    this.#accumulated = accumulateCells(copyParams(params), selection, {
      cells: evaluation.cells,
      outcomes: evaluation.outcomes,
      score: evaluation.score,
      numAreas: evaluation.params.areaRng.length,
    });
    return this.#accumulated;
  }

  /** Precision, recall and scores of the last accumulate. Throws E_COCO_ORDER before it. */
  get eval(): Accumulated {
    if (!this.#accumulated) throw new CocoError({ code: 'E_COCO_ORDER', message: 'run accumulate() first' });
    return this.#accumulated;
  }

  /** COCO's twelve numbers (ten for keypoints), −1 if there is nothing to average. `print` is called with upstream's
   *  lines of text. */
  summarize(print?: (line: string) => void): Float64Array {
    const { stats, lines } = summarizeAccumulated(this.eval);
    this.#stats = stats;
    if (print) lines.forEach((line) => print(line));
    return stats;
  }

  /** The numbers that summarize returned. Throws E_COCO_ORDER before it. */
  get stats(): Float64Array {
    if (!this.#stats) throw new CocoError({ code: 'E_COCO_ORDER', message: 'run summarize() first' });
    return this.#stats;
  }

  /** The matches of one image and category (−1 without categories) at one area range, as in upstream's evalImgs;
   *  undefined if there is neither annotation nor detection. Computed on demand.
   *  Throws E_COCO_ORDER before evaluate. */
  evaluateImg(imgId: number, catId: number, areaRng: readonly [number, number]): EvalImg | undefined {
    const evaluation = this.#evaluation;
    if (!evaluation) throw new CocoError({ code: 'E_COCO_ORDER', message: 'run evaluate() before evaluateImg()' });
    return evaluateImage(evaluation, { imgId, catId, areaRng });
  }
}

function scoresOf({ dt }: Sides, { dtRows }: Cells): Float64Array {
  const score = new Float64Array(dtRows.length);
  for (let i = 0; i < score.length; i++) {
    score[i] = dt.score[dtRows[i]!]!;
    if (Number.isNaN(score[i])) {
      throw new CocoError({ code: 'E_COCO_FIELD', message: `detection ${dt.id[dtRows[i]!]!} has no "score"` });
    }
  }
  return score;
}

/** Positions in `p` of the settings with which evaluate ran. cocoeval.py, accumulate, "get inds to evaluate". */
function select(p: Params, evaluated: Params): Selection {
  const positions = <T>(list: readonly T[], key: (item: T) => unknown, seen: readonly T[]): number[] => {
    const known = new Set(seen.map(key));
    return list.flatMap((item, position) => (known.has(key(item)) && position < seen.length ? [position] : []));
  };
  const same = (value: number): number => value;
  const images = new Uint8Array(evaluated.imgIds.length);
  for (const position of positions(p.imgIds, same, evaluated.imgIds)) images[position] = 1;
  return {
    categories: p.useCats ? positions(p.catIds, same, evaluated.catIds) : [0],
    areas: positions(p.areaRng, (range) => range.join(), evaluated.areaRng),
    maxDets: p.maxDets.filter((count) => evaluated.maxDets.includes(count)),
    images,
  };
}
