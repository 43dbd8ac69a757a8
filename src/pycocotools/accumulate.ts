import type { Cells } from './cells.js';
import { allBits, WORD, type Outcomes } from './evaluate.js';
import type { Params } from './params.js';
import { mergeSortDescending } from './sort.js';

/** Result of accumulate: flat arrays in C order; −1 if there is no ground truth that counts. */
export interface Accumulated {
  readonly params: Params;
  readonly counts: readonly [T: number, R: number, K: number, A: number, M: number];
  readonly date: Date;
  readonly precision: Float64Array; // [T, R, K, A, M]
  readonly recall: Float64Array; // [T, K, A, M]
  readonly scores: Float64Array; // [T, R, K, A, M]
}

/** Which parts of the evaluation the axes of the result stand for, as indices into the evaluation; k_list, a_list,
 *  m_list and i_list in cocoeval.py. */
export interface Selection {
  readonly categories: readonly number[];
  readonly areas: readonly number[];
  readonly maxDets: readonly number[]; // counts, not indices
  readonly images: Uint8Array; // [I] 1 if the image takes part
}

export interface Evaluated {
  readonly cells: Cells;
  readonly outcomes: Outcomes;
  readonly score: Float64Array; // [N] in the cells' order
  readonly numAreas: number;
}

/** Computes precision at the recall thresholds, recall and scores. cocoeval.py, accumulate. A category's detections are
 *  sorted once: a smaller maxDets keeps their order, and an area range does not change it. */
export function accumulateCells(params: Params, selection: Selection, evaluated: Evaluated): Accumulated {
  const T = params.iouThrs.length;
  const R = params.recThrs.length;
  const K = params.useCats ? params.catIds.length : 1;
  const A = params.areaRng.length;
  const M = params.maxDets.length;
  const result: Accumulated = {
    params,
    counts: [T, R, K, A, M],
    date: new Date(),
    precision: new Float64Array(T * R * K * A * M).fill(-1),
    recall: new Float64Array(T * K * A * M).fill(-1),
    scores: new Float64Array(T * R * K * A * M).fill(-1),
  };
  const curve = new Curve(evaluated);
  selection.categories.forEach((category, k) => {
    if (!curve.open(category, selection.images)) return;
    selection.areas.forEach((area, a) => {
      const numGt = curve.countGt(area);
      if (numGt === 0) return;
      for (let w = 0; w < evaluated.outcomes.words; w++) {
        curve.gather(w, area);
        selection.maxDets.forEach((maxDet, m) => {
          curve.collect(maxDet, allBits(T, w));
          for (let t = w * WORD; t < Math.min(T, (w + 1) * WORD); t++) {
            const at = { stride: K * A * M, first: (t * R * K + k) * A * M + a * M + m };
            result.recall[((t * K + k) * A + a) * M + m] = curve.trace(1 << (t % WORD), numGt);
            curve.read(params.recThrs, numGt, result, at);
          }
        });
      }
    });
  });
  return result;
}

/** The first cell of each category, and the end. */
function categoryStarts({ category, length }: Cells): Int32Array {
  const starts = new Int32Array((category[length - 1] ?? -1) + 2).fill(length);
  for (let cell = length - 1; cell >= 0; cell--) starts[category[cell]!] = cell;
  for (let k = starts.length - 2; k >= 0; k--) starts[k] = Math.min(starts[k]!, starts[k + 1]!); // categories without a cell
  return starts;
}

/** The precision–recall curves of the categories, one after the other. Most detections are false positives at every
 *  threshold (or ignored at every one): they are counted once, and only the others, the "hits", are visited for each
 *  threshold. */
class Curve {
  readonly #starts: Int32Array; // [K + 1] first cell of a category
  readonly #cellOf: Int32Array; // [N]
  #cellList: number[] = []; // of the category, in the images that take part
  #length = 0; // number of detections of the category, and length of the arrays that follow
  readonly #members: Int32Array; // the detections, best first; those of equal scores by image and place in it
  readonly #rank: Int32Array; // place within the cell
  readonly #score: Float64Array;
  readonly #isTrue: Int32Array; // bit sets
  readonly #isFalse: Int32Array;
  #numDt = 0; // within maxDet
  #firstScore = 0;
  #numHits = 0;
  readonly #hitScore: Float64Array;
  readonly #hitTrue: Int32Array;
  readonly #hitFalse: Int32Array;
  readonly #hitBase: Int32Array; // number of common false positives before the hit
  #numTrue = 0;
  readonly #precision: Float64Array; // [true positives] enveloped
  readonly #scoreAt: Float64Array; // [true positives]

  constructor(readonly evaluated: Evaluated) {
    const { cells } = evaluated;
    this.#starts = categoryStarts(cells);
    this.#cellOf = new Int32Array(cells.dtRows.length);
    for (let cell = 0; cell < cells.length; cell++) {
      for (let i = cells.dtStart[cell]!; i < cells.dtStart[cell + 1]!; i++) this.#cellOf[i] = cell;
    }
    const most = mostInOneCategory(cells, this.#starts);
    this.#members = new Int32Array(most);
    this.#rank = new Int32Array(most);
    this.#score = new Float64Array(most);
    this.#isTrue = new Int32Array(most);
    this.#isFalse = new Int32Array(most);
    this.#hitScore = new Float64Array(most);
    this.#hitTrue = new Int32Array(most);
    this.#hitFalse = new Int32Array(most);
    this.#hitBase = new Int32Array(most);
    this.#precision = new Float64Array(most);
    this.#scoreAt = new Float64Array(most);
  }

  /** Go to a category, in the images that take part. Returns false if it has no cell. */
  open(category: number, images: Uint8Array): boolean {
    const { cells, score } = this.evaluated;
    const first = this.#starts[category] ?? cells.length;
    const end = this.#starts[category + 1] ?? cells.length;
    this.#cellList = [];
    this.#length = 0;
    for (let cell = first; cell < end; cell++) {
      if (images[cells.image[cell]!] !== 1) continue;
      this.#cellList.push(cell);
      for (let i = cells.dtStart[cell]!; i < cells.dtStart[cell + 1]!; i++) this.#members[this.#length++] = i;
    }
    mergeSortDescending(this.#members, 0, this.#length, score);
    for (let j = 0; j < this.#length; j++) {
      const i = this.#members[j]!;
      this.#rank[j] = i - cells.dtStart[this.#cellOf[i]!]!;
      this.#score[j] = score[i]!;
    }
    return this.#cellList.length > 0;
  }

  countGt(area: number): number {
    const { cells, outcomes } = this.evaluated;
    return this.#cellList.reduce((sum, cell) => sum + outcomes.numGt[area * cells.length + cell]!, 0);
  }

  /** Copy the category's outcomes for word w of the thresholds and one area range. */
  gather(w: number, area: number): void {
    const { outcomes, numAreas } = this.evaluated;
    const base = (w * numAreas + area) * this.#cellOf.length;
    for (let j = 0; j < this.#length; j++) {
      const at = base + this.#members[j]!;
      this.#isTrue[j] = outcomes.truePositive[at]!;
      this.#isFalse[j] = outcomes.falsePositive[at]!;
    }
  }

  /** Collect the hits among each image's first `maxDet` detections. `all` has the bits in use. */
  collect(maxDet: number, all: number): void {
    let numDt = 0;
    let hits = 0;
    let common = 0;
    for (let j = 0; j < this.#length; j++) {
      if (this.#rank[j]! >= maxDet) continue;
      if (numDt++ === 0) this.#firstScore = this.#score[j]!;
      const isTrue = this.#isTrue[j]!;
      const isFalse = this.#isFalse[j]!;
      if (isTrue === 0 && isFalse === all) {
        common++;
      } else if ((isTrue | isFalse) !== 0) {
        this.#hitTrue[hits] = isTrue;
        this.#hitFalse[hits] = isFalse;
        this.#hitBase[hits] = common;
        this.#hitScore[hits++] = this.#score[j]!;
      }
    }
    this.#numDt = numDt;
    this.#numHits = hits;
  }

  /** Compute the curve at one threshold, made non-increasing from the right, and return the recall reached. Between
   *  true positives precision only falls, so the true positives alone determine the envelope. */
  trace(bit: number, numGt: number): number {
    let numTrue = 0;
    let ownFalse = 0;
    for (let h = 0; h < this.#numHits; h++) {
      if (this.#hitTrue[h]! & bit) {
        numTrue++;
        const numFalse = this.#hitBase[h]! + ownFalse;
        this.#precision[numTrue - 1] = numTrue / (numFalse + numTrue + Number.EPSILON); // numpy.spacing(1)
        this.#scoreAt[numTrue - 1] = this.#hitScore[h]!;
      } else if (this.#hitFalse[h]! & bit) {
        ownFalse++;
      }
    }
    for (let i = numTrue - 1; i > 0; i--) {
      if (this.#precision[i]! > this.#precision[i - 1]!) this.#precision[i - 1] = this.#precision[i]!;
    }
    this.#numTrue = numTrue;
    return this.#numDt > 0 ? numTrue / numGt : 0;
  }

  /** Read precision and score at the recall thresholds. In cocoeval.py: searchsorted(rc, recThrs, side='left'), with
   *  zeros from the first threshold that is not reached. */
  read(
    recThrs: Float64Array,
    numGt: number,
    out: Accumulated,
    at: { readonly first: number; readonly stride: number },
  ): void {
    let reached = this.#numDt > 0;
    let found = 0; // true positives before the one read
    for (let r = 0; r < recThrs.length; r++) {
      const threshold = recThrs[r]!;
      const index = at.first + r * at.stride;
      if (r > 0 && threshold < recThrs[r - 1]!) found = 0;
      let precision = 0;
      let score = 0;
      if (reached && threshold <= 0) {
        precision = this.#numTrue > 0 ? this.#precision[0]! : 0;
        score = this.#firstScore; // upstream reads position 0, even if that detection is false or ignored
      } else if (reached) {
        while (found < this.#numTrue && (found + 1) / numGt < threshold) found++;
        reached = found < this.#numTrue;
        if (reached) {
          precision = this.#precision[found]!;
          score = this.#scoreAt[found]!;
        }
      }
      out.precision[index] = precision;
      out.scores[index] = score;
    }
  }
}

function mostInOneCategory({ dtStart }: Cells, starts: Int32Array): number {
  let most = 0;
  for (let k = 0; k + 1 < starts.length; k++) most = Math.max(most, dtStart[starts[k + 1]!]! - dtStart[starts[k]!]!);
  return most;
}
