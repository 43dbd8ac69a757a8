import { bboxIou, type BoxImage } from './boxImages.js';

/** The kinds of errors: wrong class, wrong place, both, found twice, no object there, missed object. */
export const ERROR_KINDS = ['Cls', 'Loc', 'Both', 'Dupe', 'Bkg', 'Miss'] as const;
export type ErrorKind = (typeof ERROR_KINDS)[number];

export interface ErrorAnalysis {
  /** AP at the positive threshold, computed as in COCO, 0…1. */
  readonly AP: number;
  /** Number of errors of each kind, and by how much AP would rise if only these were corrected. */
  readonly errors: Readonly<Record<ErrorKind, { readonly count: number; readonly dAP: number }>>;
  /** By how much AP would rise without any false detection, and without any missed object. */
  readonly falsePositives: number;
  readonly falseNegatives: number;
}

export interface TideOptions {
  /** IoU from which a detection matches an object. */
  readonly positive?: number;
  /** IoU below which a detection does not belong to an object. */
  readonly background?: number;
  /** Maximum number of detections of an image that count, best first. */
  readonly maxDetections?: number;
}

interface Point {
  readonly category: number;
  readonly score: number;
  readonly correct: boolean;
}

interface WrongDetection {
  readonly kind: Exclude<ErrorKind, 'Miss'>;
  /** Its point of the precision–recall curve; undefined for a detection that is ignored. */
  readonly original: Point | undefined;
  /** The point that it becomes when its kind of error is corrected; undefined if it is removed. Known after the whole
   *  image is judged. */
  readonly fixed: () => Point | undefined;
}

interface MissedObject {
  readonly kind: 'Miss';
  readonly category: number;
}

type Found = WrongDetection | MissedObject;

/** Classify every error of a detector, and compute what correcting each kind would gain. Bolya et al. 2020, "TIDE"
 *  (arXiv:2008.08115), computed as in tidecv: detections match objects greedily by score; a localisation error overlaps
 *  an object of its class by 0.1…0.5, and so on in the order of the kinds. dAP is at least 0. Equal scores keep the
 *  order of tidecv's lists, since AP depends on it. */
export function analyseErrors(
  images: readonly BoxImage[],
  { positive = 0.5, background = 0.1, maxDetections = 100 }: TideOptions = {},
): ErrorAnalysis {
  const points: Point[] = [];
  const errors: Found[] = [];
  const objects = new Map<number, number>();
  const missing = new Map<number, number>();
  for (const image of images) {
    for (const { category, ignore } of image.truth) if (!ignore) add(objects, category, 1);
    const judged = judge(image, { positive, background, maxDetections });
    points.push(...judged.points);
    errors.push(...judged.errors);
    for (const category of judged.missing) add(missing, category, 1);
  }
  const base = meanAp(points, objects);
  const gain = (kind: ErrorKind) => Math.max(meanAp(...mend(points, errors, objects, kind)) - base, 0);
  const kinds = ERROR_KINDS.map((kind) => {
    const count = errors.filter((error) => error.kind === kind).length;
    return [kind, { count, dAP: gain(kind) }] as const;
  });
  const [unmended] = mend(points, errors, objects, undefined);
  const perfect = unmended.map((point) => ({ ...point, score: point.correct ? 1 : 0 }));
  const fewer = new Map([...objects].map(([category, count]) => [category, count - (missing.get(category) ?? 0)]));
  return {
    AP: base,
    errors: Object.fromEntries(kinds) as ErrorAnalysis['errors'],
    falsePositives: meanAp(perfect, objects) - base,
    falseNegatives: meanAp(unmended, fewer) - base,
  };
}

const add = (counts: Map<number, number>, key: number, count: number) =>
  counts.set(key, (counts.get(key) ?? 0) + count);

/** Judges one image: its points, its errors, and the categories of the objects that nothing found. */
function judge({ truth, detections }: BoxImage, { positive, background, maxDetections }: Required<TideOptions>) {
  const ranked = [...detections].sort((a, b) => b.score - a.score).slice(0, maxDetections);
  const gt = truth
    .filter(({ ignore }) => !ignore)
    .map((object) => ({ ...object, used: false, usable: false, best: -1 }));
  const overlaps = ranked.map(({ bbox }) => gt.map((object) => bboxIou(bbox, object.bbox))); // [detections, objects]
  const own = (d: number, g: number) => gt[g]!.category === ranked[d]!.category;
  /** The object with the largest overlap of those that `counts` accepts; the first of equal ones, and the first of all
   *  if it accepts none. */
  const largest = (d: number, counts: (g: number) => boolean) => {
    const values = gt.map((_, g) => (counts(g) ? overlaps[d]![g]! : 0));
    const overlap = Math.max(...values);
    return { overlap, g: values.indexOf(overlap) };
  };
  const used = ranked.map((_, d) => {
    if (gt.length === 0) return false;
    const { overlap, g } = largest(d, (k) => own(d, k) && !gt[k]!.used);
    if (overlap < positive) return false;
    return (gt[g]!.used = true);
  });
  const ignored = ranked.map(
    ({ category, bbox }, d) =>
      !used[d] &&
      truth.some(
        (region) => region.ignore && region.category === category && bboxIou(bbox, region.bbox, true) > positive,
      ),
  );

  const points: Point[] = [];
  const errors: Found[] = [];
  ranked.forEach(({ category, score }, d) => {
    const point = { category, score, correct: used[d]! };
    if (!ignored[d]) points.push(point);
    if (used[d]) return;
    const original = ignored[d] ? undefined : point;
    /** An error of a detection that would otherwise have found an object: only the best such detection of an object is
     *  corrected. */
    const mendable = (kind: 'Cls' | 'Loc', g: number): Found => {
      const object = gt[g]!;
      if (object.used) return { kind, original, fixed: () => undefined };
      object.usable = true;
      if (object.best < 0 || ranked[object.best]!.score < score) object.best = d;
      const mended = { category: kind === 'Cls' ? object.category : category, score, correct: true };
      return { kind, original, fixed: () => (object.best === d ? mended : undefined) };
    };
    errors.push(explain(d, mendable) ?? { kind: 'Both', original, fixed: () => undefined });

    function explain(row: number, mend: typeof mendable): Found | undefined {
      const gone = (kind: WrongDetection['kind']): Found => ({ kind, original, fixed: () => undefined });
      if (gt.length === 0) return gone('Bkg');
      const sameClass = largest(row, (g) => own(row, g));
      if (sameClass.overlap >= background && sameClass.overlap <= positive) return mend('Loc', sameClass.g);
      const otherClass = largest(row, (g) => !own(row, g));
      if (otherClass.overlap >= positive) return mend('Cls', otherClass.g);
      if (largest(row, (g) => own(row, g) && gt[g]!.used).overlap >= positive) return gone('Dupe');
      if (largest(row, () => true).overlap <= background) return gone('Bkg');
      return undefined;
    }
  });
  const unfound = gt.filter((object) => !object.used);
  for (const { category, usable } of unfound) if (!usable) errors.push({ kind: 'Miss', category });
  return { points, errors, missing: unfound.map(({ category }) => category) };
}

/** Points and numbers of objects after the errors of one kind are corrected. Without a kind they do not change, but
 *  have the same order as with one. */
function mend(
  points: readonly Point[],
  errors: readonly Found[],
  objects: ReadonlyMap<number, number>,
  kind: ErrorKind | undefined,
): [points: Point[], objects: Map<number, number>] {
  const mended: Point[] = [];
  const left = new Map(objects);
  for (const error of errors) {
    if (error.kind === 'Miss') {
      if (kind === 'Miss') add(left, error.category, -1);
      continue;
    }
    const point = error.kind === kind ? error.fixed() : error.original;
    if (point) mended.push(point);
  }
  return [[...mended, ...points.filter(({ correct }) => correct)], left];
}

/** The mean over the categories that have a detection or an object; −1 if there is none. */
function meanAp(points: readonly Point[], objects: ReadonlyMap<number, number>): number {
  const byCategory = new Map<number, Point[]>();
  for (const [category, count] of objects) if (count !== 0) byCategory.set(category, []);
  for (const point of points) {
    const known = byCategory.get(point.category);
    if (known) known.push(point);
    else byCategory.set(point.category, [point]);
  }
  let sum = 0;
  for (const [category, list] of byCategory) sum += averagePrecision(list, objects.get(category) ?? 0);
  return byCategory.size === 0 ? -1 : sum / byCategory.size;
}

/** The mean of the best precisions at the recalls 0, 0.01 … 1. */
function averagePrecision(points: readonly Point[], objects: number): number {
  if (objects === 0) return 0;
  const sorted = [...points].sort((a, b) => b.score - a.score);
  let hits = 0;
  const recall: number[] = [];
  const precision = sorted.map(({ correct }, i) => {
    if (correct) hits++;
    recall.push(hits / objects);
    return hits / (i + 1);
  });
  for (let i = precision.length - 1; i > 0; i--) precision[i - 1] = Math.max(precision[i - 1]!, precision[i]!);
  let sum = 0;
  let i = 0;
  for (let step = 0; step <= 100; step++) {
    while (i < recall.length && recall[i]! < step / 100) i++;
    sum += precision[i] ?? 0;
  }
  return sum / 101;
}
