import { intersectionArea, polygonIou, rectangle, region, type Region } from '../geometry/polygon.js';
import type { TextData, TextImage } from './icdarFiles.js';
import type { Judged } from '../tasks/calibration.js';
import type { Curve } from './matches.js';
import type { Outline } from '../data/formats/text/layout.js';

/** Scores as fractions. `images` is the number of images; `AP` is set if every detection has a confidence. */
export interface IcdarScore {
  readonly metric: 'icdar';
  readonly protocol: 'iou' | 'deteval';
  readonly precision: number;
  readonly recall: number;
  readonly hmean: number;
  readonly images: number;
  readonly AP?: number;
}

export interface ImageScore {
  readonly id: string;
  readonly precision: number;
  readonly recall: number;
  readonly hmean: number;
  /** The hits, as they count for recall and for precision; they differ only in DetEval. */
  readonly recallHits: number;
  readonly precisionHits: number;
  /** Numbers of words and detections that count, which excludes don't-care words and detections on them. */
  readonly words: number;
  readonly detections: number;
  readonly AP?: number;
}

export interface IcdarResult {
  readonly score: IcdarScore;
  readonly images: readonly ImageScore[];
  /** Set if there is an AP. */
  readonly curve?: Curve;
}

const IOU_THRESHOLD = 0.5;
/** A detection does not count if more than this share of it lies in one don't-care word. */
const DONT_CARE_PRECISION = 0.5;

interface Ranked {
  readonly confidence: number;
  readonly isHit: boolean;
}

/** Score by the IoU protocol of ICDAR 2015 Challenge 4 (rrc.cvc.uab.es, script of task 1): a detection matches the
 *  first word, in file order, with which it has IoU > 0.5; both then are taken. Coordinates are truncated to integers
 *  as in the script. AP is the script's: the mean of the precision at each hit, best confidence first, over all words. */
export function scoreIou({ images, hasConfidences }: TextData): IcdarResult {
  const all: Ranked[] = [];
  const perImage = images.map((image): ImageScore => {
    const { hits, words, detections, ranked } = matchImage(image);
    all.push(...ranked);
    const rates =
      words === 0
        ? { recall: 1, precision: detections > 0 ? 0 : 1 }
        : { recall: hits / words, precision: ratio(hits, detections) };
    const AP = words === 0 ? rates.precision : averagePrecision(ranked, words);
    const scored = { id: image.id, ...rates, hmean: hmean(rates), recallHits: hits, precisionHits: hits };
    return { ...scored, words, detections, ...(hasConfidences ? { AP } : {}) };
  });
  const overall = combine('iou', perImage);
  if (!hasConfidences) return overall;
  const words = perImage.reduce((sum, image) => sum + image.words, 0);
  return { ...overall, score: { ...overall.score, AP: averagePrecision(all, words) }, curve: toCurve(all, words) };
}

/** Which detections are right by the IoU protocol, and the number of words to find. */
export function judgeWords(images: readonly TextImage[]): { readonly judged: Judged[]; readonly words: number } {
  const all = images.map(matchImage);
  const judged = all.flatMap(({ ranked }) =>
    ranked.map(({ confidence, isHit }) => ({ score: confidence, isRight: isHit })),
  );
  return { judged, words: all.reduce((sum, { words }) => sum + words, 0) };
}

function matchImage({ words, detections }: TextImage) {
  const truth = words.map((word) => ({ ...toRegion(word), dontCare: word.dontCare, taken: false }));
  const masks = truth.filter(({ dontCare }) => dontCare);
  const found = detections.map((detection) => {
    const area = toRegion(detection);
    return { ...area, confidence: detection.confidence ?? 0, dontCare: isMasked(area, masks), isHit: false };
  });
  let hits = 0;
  for (const word of truth) {
    if (word.dontCare) continue;
    for (const detection of found) {
      if (detection.dontCare || detection.isHit || !(polygonIou(word, detection) > IOU_THRESHOLD)) continue;
      detection.isHit = true;
      hits++;
      break;
    }
  }
  const ranked = found.filter(({ dontCare }) => !dontCare);
  return { hits, words: truth.length - masks.length, detections: ranked.length, ranked };
}

const isMasked = (detection: Region, masks: readonly Region[]): boolean =>
  masks.some((mask) => detection.area > 0 && intersectionArea(mask, detection) / detection.area > DONT_CARE_PRECISION);

function toRegion({ isRectangle, points }: Outline): Region {
  const whole = points.map(Math.trunc);
  const [left, top, right, bottom] = whole as [number, number, number, number];
  return region(isRectangle ? rectangle(left, top, right, bottom) : Float64Array.from(whole));
}

const bestFirst = (ranked: readonly Ranked[]): Ranked[] => [...ranked].sort((a, b) => b.confidence - a.confidence);

function toCurve(ranked: readonly Ranked[], words: number): Curve {
  let hits = 0;
  const points = bestFirst(ranked).map(({ confidence, isHit }, i) => {
    if (isHit) hits++;
    return { recall: ratio(hits, words), precision: hits / (i + 1), score: confidence };
  });
  const pick = (name: keyof (typeof points)[number]) => Float64Array.from(points, (point) => point[name]);
  return { recall: pick('recall'), precision: pick('precision'), score: pick('score') };
}

function averagePrecision(ranked: readonly Ranked[], words: number): number {
  const best = bestFirst(ranked);
  let hits = 0;
  let sum = 0;
  best.forEach(({ isHit }, i) => {
    if (isHit) sum += ++hits / (i + 1);
  });
  return ratio(sum, words);
}

const ratio = (part: number, whole: number): number => (whole === 0 ? 0 : part / whole);

export const hmean = ({ precision, recall }: { readonly precision: number; readonly recall: number }): number =>
  ratio(2 * precision * recall, precision + recall);

/** The score of the whole set: hits over all words, not a mean over images. `weights` tells how often each image counts
 *  (default: once). */
export function combine(
  protocol: IcdarScore['protocol'],
  images: readonly ImageScore[],
  weights?: ArrayLike<number>,
): IcdarResult {
  const sum = (pick: (image: ImageScore) => number) =>
    images.reduce((total, image, i) => total + pick(image) * (weights?.[i] ?? 1), 0);
  const rates = {
    precision: ratio(
      sum(({ precisionHits }) => precisionHits),
      sum(({ detections }) => detections),
    ),
    recall: ratio(
      sum(({ recallHits }) => recallHits),
      sum(({ words }) => words),
    ),
  };
  return { score: { metric: 'icdar', protocol, ...rates, hmean: hmean(rates), images: images.length }, images };
}
