import type { COCOeval, IouType } from 'pycocotools-js';

/** COCO's numbers, as fractions; −1 if there is nothing to measure. Keypoints have no small objects and no AR1, AR10,
 *  AR100: these are −1, and AR, AR50 and AR75 (at 20 detections per image) are added. */
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
  readonly AR?: number;
  readonly AR50?: number;
  readonly AR75?: number;
  readonly perCategory: readonly {
    readonly id: number;
    readonly name: string;
    readonly AP: number;
    readonly AP50: number;
  }[];
}

/** The numbers of an accumulated evaluation by name. `print` is called with the lines that pycocotools prints. */
export function cocoScore(evaluation: COCOeval, iouType: IouType, print?: (line: string) => void): CocoScore {
  const stats = [...evaluation.summarize(print)];
  return { metric: 'coco', iouType, ...named(stats, iouType), perCategory: perCategory(evaluation) };
}

function named(stats: readonly number[], iouType: IouType): Omit<CocoScore, 'metric' | 'iouType' | 'perCategory'> {
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
