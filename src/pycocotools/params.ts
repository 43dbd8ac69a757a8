import { CocoError } from './errors.js';
import type { IouType } from './types.js';

/** Evaluation settings. cocoeval.py, Params, with the same names and defaults. */
export interface Params {
  iouType: IouType;
  imgIds: number[];
  catIds: number[];
  /** [T] IoU (or OKS) from which a detection counts as a hit. */
  iouThrs: Float64Array;
  /** [R] recalls at which precision is read. */
  recThrs: Float64Array;
  /** [M] maximum numbers of detections of an image (and category). */
  maxDets: number[];
  /** [A] ranges of the area in pixels, both ends inclusive. */
  areaRng: (readonly [number, number])[];
  areaRngLbl: string[];
  /** 0 to ignore categories, as for proposals. */
  useCats: 0 | 1;
  /** For each keypoint the deviation of the annotators, relative to the square root of the area. Only for keypoints. */
  kpt_oks_sigmas: Float64Array;
}

const FAR = 1e5 ** 2;
const SMALL = 32 ** 2;
const LARGE = 96 ** 2;

/** The sigmas of COCO's 17 body points, times ten. cocoeval.py, setKpParams. */
const SIGMAS_IN_TENTHS = [
  0.26, 0.25, 0.25, 0.35, 0.35, 0.79, 0.79, 0.72, 0.72, 0.62, 0.62, 1.07, 1.07, 0.87, 0.87, 0.89, 0.89,
];

export function defaultParams(iouType: IouType): Params {
  const keypoints = iouType === 'keypoints';
  if (!['bbox', 'segm', 'keypoints'].includes(iouType)) {
    throw new CocoError({
      code: 'E_COCO_PARAMS',
      message: `iouType is "${iouType}", not bbox, segm or keypoints`,
    });
  }
  return {
    iouType,
    imgIds: [],
    catIds: [],
    iouThrs: linspace(0.5, 0.95, 10),
    recThrs: linspace(0, 1, 101),
    maxDets: keypoints ? [20] : [1, 10, 100],
    areaRng: keypoints
      ? [
          [0, FAR],
          [SMALL, LARGE],
          [LARGE, FAR],
        ]
      : [
          [0, FAR],
          [0, SMALL],
          [SMALL, LARGE],
          [LARGE, FAR],
        ],
    areaRngLbl: keypoints ? ['all', 'medium', 'large'] : ['all', 'small', 'medium', 'large'],
    useCats: 1,
    kpt_oks_sigmas: Float64Array.from(SIGMAS_IN_TENTHS, (tenths) => tenths / 10),
  };
}

/** numpy.linspace with its order of rounding, so that 0.6, 0.7 … have the same bits as in upstream. */
export function linspace(start: number, stop: number, num: number): Float64Array {
  const step = (stop - start) / (num - 1);
  return Float64Array.from({ length: num }, (_, i) => (i === num - 1 ? stop : i * step + start));
}

/** Throws E_COCO_PARAMS for settings with which upstream fails, or computes nonsense. */
export function checkParams(p: Params): void {
  const complain = (message: string): never => {
    throw new CocoError({ code: 'E_COCO_PARAMS', message });
  };
  for (const name of ['imgIds', 'catIds', 'iouThrs', 'recThrs', 'maxDets'] as const) {
    const bad = Array.from(p[name]).findIndex((value) => typeof value !== 'number' || Number.isNaN(value));
    if (bad >= 0) complain(`params.${name}[${bad}] is ${String(p[name][bad])}`);
  }
  if (p.iouThrs.length === 0) complain('params.iouThrs is empty');
  if (p.maxDets.length === 0) complain('params.maxDets is empty');
  if (p.maxDets.some((count) => !Number.isInteger(count) || count < 0)) complain('params.maxDets are counts, from 0');
  if (p.areaRng.some(([low, high]) => !(low <= high))) complain('params.areaRng are [low, high] pairs');
}

/** The ids sorted, each once, as in evaluate (numpy.unique). */
export function uniqueSorted(ids: readonly number[]): number[] {
  return [...new Set(ids)].sort((a, b) => a - b);
}

export function copyParams(p: Params): Params {
  return {
    ...p,
    imgIds: [...p.imgIds],
    catIds: [...p.catIds],
    iouThrs: p.iouThrs.slice(),
    recThrs: p.recThrs.slice(),
    maxDets: [...p.maxDets],
    areaRng: [...p.areaRng],
    areaRngLbl: [...p.areaRngLbl],
    kpt_oks_sigmas: p.kpt_oks_sigmas.slice(),
  };
}
