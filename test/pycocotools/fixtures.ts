import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import type { CocoDataset, CocoResult, EvalImg, IouType, Params, Rle } from '../../src/pycocotools/index.js';

const FOLDER = new URL('../fixtures/pycocotools/', import.meta.url);

/** test/fixtures/pycocotools/<name>.json.gz; make.py there says how it was made. */
export function readFixture(name: string): unknown {
  return JSON.parse(gunzipSync(readFileSync(new URL(`${name}.json.gz`, FOLDER))).toString());
}

export const readCase = (name: string): EvalCase => readFixture(name) as EvalCase;

/** precision, recall and scores of a case. */
export function readArrays(name: string, counts: readonly number[]): Float64Array[] {
  const bytes = gunzipSync(readFileSync(new URL(`${name}.f64.gz`, FOLDER)));
  const values = new Float64Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
  const [t = 0, r = 0, k = 0, a = 0, m = 0] = counts;
  const big = t * r * k * a * m;
  const small = t * k * a * m;
  return [values.slice(0, big), values.slice(big, big + small), values.slice(big + small)];
}

export interface EvalCase {
  readonly dataset: CocoDataset;
  readonly results: readonly CocoResult[];
  readonly iouType: IouType;
  readonly settings: Partial<Params>;
  readonly later: Partial<Params>;
  readonly counts: readonly number[];
  readonly stats?: readonly number[];
  readonly evalImgs?: readonly EvalImg[];
}

export interface MaskCases {
  readonly polygons: readonly { h: number; w: number; xy: number[]; rle: string }[];
  readonly boxes: readonly { h: number; w: number; box: number[]; rle: string }[];
  readonly bitmaps: readonly { h: number; w: number; bits: string; rle: string; area: number; bbox: number[] }[];
  readonly groups: readonly {
    rles: Rle[];
    union: Rle;
    intersection: Rle;
    area: number[];
    bbox: number[][];
    crowd: number[];
    iou: number[][];
  }[];
  readonly counts: readonly { counts: number[]; rle: string; area: number; bbox: number[] }[];
  readonly boxIou: { dt: number[][]; gt: number[][]; crowd: number[]; iou: number[][] };
}

/** Largest |a − b|; NaN anywhere or different lengths give Infinity. */
export function maxDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Infinity;
  let worst = 0;
  for (let i = 0; i < a.length; i++) {
    const difference = Math.abs(a[i]! - b[i]!);
    if (!(difference <= worst)) worst = Number.isNaN(difference) ? Infinity : difference;
  }
  return worst;
}
