import type { Accumulated } from './accumulate.js';
import { CocoError } from './errors.js';
import { pairwiseSum } from './pairwiseSum.js';

/** One line of the summary, in upstream's order. */
interface Line {
  readonly kind: 'AP' | 'AR';
  readonly iouThr?: number;
  readonly areaRng?: string;
  readonly maxDets: number;
}

export interface Summary {
  readonly stats: Float64Array; // [12], keypoints [10]
  readonly lines: readonly string[];
}

/** The twelve numbers of COCO (ten for keypoints); −1 if there is nothing to average. cocoeval.py, summarize.
 *  Throws E_COCO_PARAMS for boxes and masks with fewer than three maxDets. */
export function summarizeAccumulated(accumulated: Accumulated): Summary {
  const { iouType, maxDets } = accumulated.params;
  const lines = iouType === 'keypoints' ? keypointLines() : detectionLines(maxDets);
  const stats = Float64Array.from(lines, (line) => average(accumulated, line));
  return { stats, lines: lines.map((line, i) => format(accumulated, line, stats[i]!)) };
}

function detectionLines(maxDets: readonly number[]): Line[] {
  const [few, some, many] = maxDets;
  if (few === undefined || some === undefined || many === undefined) {
    throw new CocoError({
      code: 'E_COCO_PARAMS',
      message: `summarize needs three maxDets, not [${maxDets.join(', ')}]`,
    });
  }
  return [
    { kind: 'AP', maxDets: 100 }, // upstream's default, independent of params.maxDets
    { kind: 'AP', iouThr: 0.5, maxDets: many },
    { kind: 'AP', iouThr: 0.75, maxDets: many },
    { kind: 'AP', areaRng: 'small', maxDets: many },
    { kind: 'AP', areaRng: 'medium', maxDets: many },
    { kind: 'AP', areaRng: 'large', maxDets: many },
    { kind: 'AR', maxDets: few },
    { kind: 'AR', maxDets: some },
    { kind: 'AR', maxDets: many },
    { kind: 'AR', areaRng: 'small', maxDets: many },
    { kind: 'AR', areaRng: 'medium', maxDets: many },
    { kind: 'AR', areaRng: 'large', maxDets: many },
  ];
}

function keypointLines(): Line[] {
  return (['AP', 'AR'] as const).flatMap((kind) => [
    { kind, maxDets: 20 },
    { kind, maxDets: 20, iouThr: 0.5 },
    { kind, maxDets: 20, iouThr: 0.75 },
    { kind, maxDets: 20, areaRng: 'medium' },
    { kind, maxDets: 20, areaRng: 'large' },
  ]);
}

/** Mean of the entries above −1, added in upstream's order of axes. */
function average(
  { counts, params, precision, recall }: Accumulated,
  { kind, iouThr, areaRng = 'all', maxDets }: Line,
): number {
  const [T, R, K, A, M] = counts;
  const a = params.areaRngLbl.indexOf(areaRng);
  const m = params.maxDets.indexOf(maxDets);
  if (a < 0 || m < 0) return -1;
  const perThreshold = kind === 'AP' ? R * K : K;
  const source = kind === 'AP' ? precision : recall;
  const kept = new Float64Array(T * perThreshold);
  let count = 0;
  for (let t = 0; t < T; t++) {
    if (iouThr !== undefined && params.iouThrs[t] !== iouThr) continue;
    for (let i = 0; i < perThreshold; i++) {
      const value = source[((t * perThreshold + i) * A + a) * M + m]!;
      if (value > -1) kept[count++] = value;
    }
  }
  return count === 0 ? -1 : pairwiseSum(kept, 0, count) / count;
}

function format(
  { params: { iouThrs } }: Accumulated,
  { kind, iouThr, areaRng = 'all', maxDets }: Line,
  value: number,
): string {
  const title = kind === 'AP' ? 'Average Precision' : 'Average Recall';
  const iou = iouThr?.toFixed(2) ?? `${iouThrs[0]!.toFixed(2)}:${iouThrs[iouThrs.length - 1]!.toFixed(2)}`;
  const where = `IoU=${iou.padEnd(9)} | area=${areaRng.padStart(6)} | maxDets=${String(maxDets).padStart(3)}`;
  return ` ${title.padEnd(18)} (${kind}) @[ ${where} ] = ${value.toFixed(3)}`;
}
