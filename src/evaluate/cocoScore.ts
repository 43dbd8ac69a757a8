import type { COCOeval, IouType } from '../pycocotools/index.js';

/** COCO's numbers, as fractions; −1 if there is nothing to measure. Keypoints have no small objects and no AR1, AR10,
 *  AR100: these are −1, and AR, AR50 and AR75 (at 20 detections per image) are added. If another number of detections
 *  counts than COCO's 100, it is `maxDets`; AP and the sizes are at that number, and so is AR, which is added. */
export interface CocoScore {
  readonly metric: 'coco';
  readonly iouType: IouType;
  readonly AP: number;
  readonly AP50: number;
  readonly AP75: number;
  readonly APs: number;
  readonly APm: number;
  readonly APl: number;
  readonly AR1: number;
  readonly AR10: number;
  readonly AR100: number;
  readonly ARs: number;
  readonly ARm: number;
  readonly ARl: number;
  readonly maxDets?: number;
  readonly AR?: number;
  readonly AR50?: number;
  readonly AR75?: number;
  readonly perCategory: readonly {
    readonly id: number | string;
    readonly name: string;
    readonly AP: number;
    readonly AP50: number;
  }[];
}

/** The numbers of an accumulated evaluation by name. */
export function cocoScore(evaluation: COCOeval, iouType: IouType): CocoScore {
  const isUsual = iouType === 'keypoints' || evaluation.params.maxDets.join() === '1,10,100';
  const numbers = isUsual ? named([...evaluation.summarize()], iouType) : numbersAtMost(evaluation);
  return { metric: 'coco', iouType, ...numbers, perCategory: perCategory(evaluation) };
}

type Numbers = Omit<CocoScore, 'metric' | 'iouType' | 'perCategory'>;

/** COCO's numbers at the largest number of detections. pycocotools' summarize has most of them at 100 alone. */
function numbersAtMost({ eval: { precision, recall, counts }, params }: COCOeval): Numbers {
  const [T, R, K, A, M] = counts;
  const mean = (values: Float64Array, perThreshold: number, a: number, m: number, t?: number): number => {
    let [sum, count] = [0, 0];
    for (let row = 0; m >= 0 && row < T * perThreshold; row++) {
      const value = values[(row * A + a) * M + m]!;
      if (value < 0 || (t !== undefined && Math.floor(row / perThreshold) !== t)) continue;
      sum += value;
      count++;
    }
    return count === 0 ? -1 : sum / count;
  };
  const [AP, AP50, AP75] = [undefined, 0, 5].map((t) => mean(precision, R * K, 0, M - 1, t)) as [
    number,
    number,
    number,
  ];
  const [APs, APm, APl] = [1, 2, 3].map((a) => mean(precision, R * K, a, M - 1)) as [number, number, number];
  const [AR1, AR10, AR100] = [1, 10, 100].map((count) => mean(recall, K, 0, params.maxDets.indexOf(count))) as [
    number,
    number,
    number,
  ];
  const [AR, ARs, ARm, ARl] = [0, 1, 2, 3].map((a) => mean(recall, K, a, M - 1)) as [number, number, number, number];
  return { AP, AP50, AP75, APs, APm, APl, AR1, AR10, AR100, ARs, ARm, ARl, AR, maxDets: params.maxDets[M - 1]! };
}

function named(stats: readonly number[], iouType: IouType): Numbers {
  const at = (i: number) => stats[i] ?? -1;
  if (iouType !== 'keypoints') {
    return {
      AP: at(0),
      AP50: at(1),
      AP75: at(2),
      APs: at(3),
      APm: at(4),
      APl: at(5),
      AR1: at(6),
      AR10: at(7),
      AR100: at(8),
      ARs: at(9),
      ARm: at(10),
      ARl: at(11),
    };
  }
  const absent = { APs: -1, AR1: -1, AR10: -1, AR100: -1, ARs: -1 };
  return {
    AP: at(0),
    AP50: at(1),
    AP75: at(2),
    APm: at(3),
    APl: at(4),
    AR: at(5),
    AR50: at(6),
    AR75: at(7),
    ARm: at(8),
    ARl: at(9),
    ...absent,
  };
}

/** AP and AP50 of each category over all areas at the largest number of detections: means over precision [T, R, K, A,
 *  M] where it is not −1. */
function perCategory({ eval: { precision, counts }, params, cocoGt }: COCOeval): CocoScore['perCategory'] {
  const [T, R, K, A, M] = counts;
  const mean = (k: number, thresholds: number): number => {
    let [sum, count] = [0, 0];
    for (let row = 0; row < thresholds * R; row++) {
      const value = precision[(row * K + k) * A * M + M - 1]!;
      if (value < 0) continue;
      sum += value;
      count++;
    }
    return count === 0 ? -1 : sum / count;
  };
  return params.catIds.map((id, k) => {
    const name = cocoGt.cats.get(id)?.name ?? String(id);
    return { id, name, AP: mean(k, T), AP50: mean(k, 1) };
  });
}
