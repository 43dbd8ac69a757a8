import type { Cells } from './cells.js';
import type { Columns } from './columns.js';
import { demanded, matchCell, type Candidates } from './match.js';
import type { Params } from './params.js';
import { missing, type Sides, type Similarity } from './similarity.js';
import type { CocoAnnotation } from './types.js';

/** Number of thresholds in a word of the bit sets. */
export const WORD = 32;

/** The outcome of every detection, with a bit for each threshold. If neither bit is set, the detection is ignored. */
export interface Outcomes {
  readonly words: number; // bit sets of W = ceil(T / 32) words
  readonly truePositive: Int32Array; // [W, A, N], N detections in the cells' order
  readonly falsePositive: Int32Array; // [W, A, N]
  readonly numGt: Int32Array; // [A, C] ground truths of a cell that count
}

/** Match the cells at every area range and threshold. cocoeval.py, evaluateImg; here area ranges share the order and
 *  the similarities. */
export function evaluateCells(params: Params, sides: Sides, cells: Cells, similarity: Similarity): Outcomes {
  const { areaRng, iouThrs } = params;
  const words = Math.ceil(iouThrs.length / WORD);
  const numDt = cells.dtRows.length;
  const outcomes: Outcomes = {
    words,
    truePositive: new Int32Array(words * areaRng.length * numDt),
    falsePositive: new Int32Array(words * areaRng.length * numDt),
    numGt: new Int32Array(areaRng.length * cells.length),
  };
  markUnmatched(outcomes, params, sides.dt, cells);
  const run = new CellRun(params, sides, cells, similarity);
  for (let cell = 0; cell < cells.length; cell++) {
    if (!run.open(cell)) continue;
    for (let a = 0; a < areaRng.length; a++) {
      run.setArea(areaRng[a]!);
      outcomes.numGt[a * cells.length + cell] = run.numCounted;
      recordMatches(outcomes, a, run, cells.dtStart[cell]!);
    }
  }
  return outcomes;
}

/** Sets the outcomes as if nothing matched: false positive inside the area range, ignored outside. */
function markUnmatched(
  { words, falsePositive }: Outcomes,
  { areaRng, iouThrs }: Params,
  dt: Columns,
  { dtRows }: Cells,
): void {
  const n = dtRows.length;
  const areas = new Float64Array(n);
  for (let i = 0; i < n; i++) areas[i] = dt.area[dtRows[i]!]!;
  for (let w = 0; w < words; w++) {
    areaRng.forEach((range, a) => {
      const first = (w * areaRng.length + a) * n;
      markInside(areas, range, allBits(iouThrs.length, w), falsePositive.subarray(first, first + n));
    });
  }
}

function markInside(areas: Float64Array, [low, high]: readonly [number, number], bits: number, out: Int32Array): void {
  for (let i = 0; i < areas.length; i++) out[i] = areas[i]! < low || areas[i]! > high ? 0 : bits;
}

/** The bits of word w that stand for one of `numThresholds` thresholds. */
export function allBits(numThresholds: number, w: number): number {
  const bits = Math.min(WORD, numThresholds - w * WORD);
  return bits === WORD ? -1 : (1 << bits) - 1;
}

function recordMatches({ words, truePositive, falsePositive }: Outcomes, a: number, run: CellRun, first: number): void {
  const { iouThrs, areaRng } = run.params;
  const { numPromising, promising, dtMatch, ignored, gtId } = run;
  const n = truePositive.length / (words * areaRng.length);
  for (let t = 0; t < iouThrs.length; t++) {
    if (!run.match(t)) continue;
    const base = (Math.floor(t / WORD) * areaRng.length + a) * n + first;
    const bit = 1 << (t % WORD);
    for (let i = 0; i < numPromising; i++) {
      const d = promising[i]!;
      const match = dtMatch[d]!;
      if (match < 0) continue;
      // upstream stores the matched id and tests `!= 0`, so matching an annotation with id 0 is a miss. Kept; see README.
      const counts = gtId[match] !== 0;
      if (ignored[match] === 1 || counts) falsePositive[base + d]! &= ~bit;
      if (ignored[match] === 0 && counts) truePositive[base + d]! |= bit;
    }
  }
}

/** Memory that is reused for each cell, so that the loop over half a million detections allocates nothing. */
export class CellRun implements Candidates {
  numDt = 0;
  numGt = 0;
  numCounted = 0;
  similarity = new Float64Array(0); // [D, G]
  takes = new Uint8Array(0); // [D]
  numPromising = 0;
  promising = new Int32Array(0); // [D]
  mostAlike = new Float64Array(0); // [D]
  dtMatch = new Int32Array(0); // [D]
  order = new Int32Array(0); // [G]; this and the rest by position in the order
  ignored = new Uint8Array(0);
  crowd = new Uint8Array(0);
  gtId = new Float64Array(0);
  gtMatch = new Int32Array(0);
  readonly #leastDemanded: number;
  #cell = 0;
  #hasPairs = false;
  #area = new Float64Array(0); // [G] by position in the cell, as #never
  #never = new Uint8Array(0); // 1 if ignored at every area range

  constructor(
    readonly params: Params,
    readonly sides: Sides,
    readonly cells: Cells,
    readonly fillSimilarity: Similarity,
  ) {
    this.#leastDemanded = params.iouThrs.reduce((least, threshold) => Math.min(least, demanded(threshold)), Infinity);
  }

  /** Go to a cell. Returns false if it has no ground truth, so that nothing can match. */
  open(cell: number): boolean {
    const { gtStart, dtStart, gtRows, dtRows } = this.cells;
    const { gt, dt } = this.sides;
    const firstGt = gtStart[cell]!;
    const firstDt = dtStart[cell]!;
    this.#cell = cell;
    this.numGt = gtStart[cell + 1]! - firstGt;
    this.numDt = dtStart[cell + 1]! - firstDt;
    this.#hasPairs = false;
    if (this.numGt === 0) return false;
    this.#reserve();
    for (let g = 0; g < this.numGt; g++) {
      const row = gtRows[firstGt + g]!;
      const area = gt.area[row]!;
      if (Number.isNaN(area)) throw missing(`annotation ${gt.id[row]!}`, 'area');
      this.#area[g] = area;
      this.#never[g] = gt.crowd[row] === 1 || this.#hasNoKeypoints(gt, row) ? 1 : 0;
    }
    if (this.numDt === 0) return true;
    for (let d = 0; d < this.numDt; d++) this.takes[d] = dt.id[dtRows[firstDt + d]!]! > 0 ? 1 : 0;
    this.#hasPairs = this.fillSimilarity(cell, this.similarity);
    this.#findPromising();
    return true;
  }

  /** Order the ground truths for an area range: those that count, then the ignored ones, both in the file's order. */
  setArea([low, high]: readonly [number, number]): void {
    const { gt } = this.sides;
    const first = this.cells.gtStart[this.#cell]!;
    let position = 0;
    for (let ignored = 0; ignored <= 1; ignored++) {
      for (let g = 0; g < this.numGt; g++) {
        const area = this.#area[g]!;
        const isIgnored = this.#never[g] === 1 || area < low || area > high ? 1 : 0;
        if (isIgnored !== ignored) continue;
        const row = this.cells.gtRows[first + g]!;
        this.order[position] = g;
        this.ignored[position] = ignored;
        this.crowd[position] = gt.crowd[row]!;
        this.gtId[position] = gt.id[row]!;
        position++;
      }
      if (ignored === 0) this.numCounted = position;
    }
  }

  /** Match at threshold t. Returns false, and writes neither dtMatch nor gtMatch, if nothing is similar enough at any
   *  threshold. */
  match(t: number): boolean {
    const threshold = this.params.iouThrs[t]!;
    if (!this.#hasPairs || this.numPromising === 0) return false;
    matchCell(this, threshold, this.dtMatch, this.gtMatch);
    return true;
  }

  /** Finds the detections that are similar enough to something; most are not, and need not be examined again. */
  #findPromising(): void {
    this.numPromising = 0;
    if (!this.#hasPairs) return;
    for (let d = 0; d < this.numDt; d++) {
      let most = -Infinity;
      for (let i = d * this.numGt; i < (d + 1) * this.numGt; i++)
        if (this.similarity[i]! > most) most = this.similarity[i]!;
      this.mostAlike[d] = most;
      if (most >= this.#leastDemanded) this.promising[this.numPromising++] = d;
    }
  }

  #hasNoKeypoints(gt: Columns, row: number): boolean {
    return this.params.iouType === 'keypoints' && numKeypoints(gt.annotation(row)) === 0;
  }

  #reserve(): void {
    if (this.order.length < this.numGt) {
      const size = this.numGt * 2;
      this.order = new Int32Array(size);
      this.gtMatch = new Int32Array(size);
      this.ignored = new Uint8Array(size);
      this.crowd = new Uint8Array(size);
      this.gtId = new Float64Array(size);
      this.#area = new Float64Array(size);
      this.#never = new Uint8Array(size);
    }
    if (this.dtMatch.length < this.numDt) {
      this.dtMatch = new Int32Array(this.numDt * 2);
      this.takes = new Uint8Array(this.numDt * 2);
      this.promising = new Int32Array(this.numDt * 2);
      this.mostAlike = new Float64Array(this.numDt * 2);
    }
    const pairs = this.numDt * this.numGt;
    if (this.similarity.length < pairs) this.similarity = new Float64Array(pairs * 2);
  }
}

/** Number of labelled keypoints; it is counted if the file does not state it (upstream fails then). */
function numKeypoints({ num_keypoints, keypoints = [] }: CocoAnnotation): number {
  return num_keypoints ?? keypoints.filter((value, i) => i % 3 === 2 && value > 0).length;
}
