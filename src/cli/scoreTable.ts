import type { ClassificationScore } from '../evaluate/classificationScore.js';
import type { CocoScore } from '../evaluate/cocoScore.js';
import type { TaskScore } from '../evaluate/createTask.js';
import type { IcdarResult, IcdarScore } from '../evaluate/hmean.js';
import type { Matches } from '../evaluate/matches.js';
import type { VocScore } from '../evaluate/voc.js';
import { table } from './table.js';

/** A fraction with three decimals; −1, nothing to measure, is a dash. */
const shown = (value: number): string => (value < 0 ? '–' : value.toFixed(3));

/** The score of a recipe's model. */
export function taskTable(score: TaskScore): string {
  if (score.metric === 'coco') return cocoTable(score);
  return score.metric === 'icdar' ? `${icdarRates(score)}\n${score.images} images` : classificationTable(score);
}

function classificationTable({ top1, top5, meanPerClass, images, perCategory }: ClassificationScore): string {
  const rows = perCategory.filter((row) => row.images > 0);
  return [
    `classification, ${images} images`,
    table([
      ['top-1', 'top-5', 'mean per class'],
      [shown(top1), shown(top5), shown(meanPerClass).padStart(14)],
    ]),
    '',
    table([
      ['class', 'images', 'precision', 'recall'],
      ...rows.map(({ name, images: count, precision, recall }) => [
        name,
        String(count),
        shown(precision),
        shown(recall),
      ]),
    ]),
  ].join('\n');
}

export function cocoTable(score: CocoScore): string {
  const { iouType, perCategory, maxDets } = score;
  const at = iouType === 'keypoints' ? 'OKS' : 'IoU';
  const recalls =
    iouType === 'keypoints'
      ? { AR: score.AR ?? -1, AR50: score.AR50 ?? -1, AR75: score.AR75 ?? -1, ARm: score.ARm, ARl: score.ARl }
      : {
          AR1: score.AR1,
          AR10: score.AR10,
          AR100: score.AR100,
          ...(maxDets !== undefined && { [`AR${maxDets}`]: score.AR ?? -1 }),
          ARs: score.ARs,
          ARm: score.ARm,
          ARl: score.ARl,
        };
  const precisions = {
    ...{ AP: score.AP, AP50: score.AP50, AP75: score.AP75 },
    ...(iouType === 'keypoints' ? {} : { APs: score.APs }),
    ...{ APm: score.APm, APl: score.APl },
  };
  const twoRows = (values: Readonly<Record<string, number>>) =>
    table([
      Object.keys(values).map((name) => name.padStart(5)),
      Object.values(values).map((value) => shown(value).padStart(5)),
    ]);
  return [
    `COCO ${iouType}, ${at} .50:.05:.95, as pycocotools counts${maxDets === undefined ? '' : `, maxDets ${maxDets}`}`,
    twoRows(precisions),
    twoRows(recalls),
    '',
    table([['category', 'AP', 'AP50'], ...perCategory.map(({ name, AP, AP50 }) => [name, shown(AP), shown(AP50)])]),
  ].join('\n');
}

export function vocTable({ year, mAP, AP }: VocScore, { classes }: Matches): string {
  const rule = year === 2007 ? '11 recalls' : 'area under the curve';
  const counts = new Map(
    classes.map(({ name, objects, score }) => [name, [objects.reduce((a, b) => a + b, 0), score.length]]),
  );
  const rows = Object.entries(AP).map(([name, value]) => [name, ...counts.get(name)!.map(String), shown(value)]);
  return [
    `VOC ${year}, IoU > 0.5, ${rule}`,
    table([['class', 'objects', 'detections', 'AP'], ...rows, ['mean', '', '', shown(mAP)]]),
  ].join('\n');
}

export function icdarTable({ score, images }: IcdarResult): string {
  const sum = (pick: 'words' | 'detections') => images.reduce((total, image) => total + image[pick], 0);
  return `${icdarRates(score)}\n${score.images} images, ${sum('words')} words and ${sum('detections')} detections that count`;
}

function icdarRates({ protocol, precision, recall, hmean, AP }: IcdarScore): string {
  const rule = protocol === 'iou' ? 'IoU > 0.5 (ICDAR 2015, challenge 4)' : 'DetEval (ICDAR 2013, challenge 2)';
  const named = { precision, recall, hmean, ...(AP === undefined ? {} : { AP }) };
  return [
    rule,
    table([
      Object.keys(named).map((name) => name.padStart(9)),
      Object.values(named).map((value) => shown(value).padStart(9)),
    ]),
  ].join('\n');
}
