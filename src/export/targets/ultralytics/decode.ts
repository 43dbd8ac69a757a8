import type { ClassIndex } from '../../../data/sample.js';
import { xyxy } from '../../../geometry/box.js';
import type { Found } from '../../../tasks/detection/detector.js';
import { suppressPerClass, type Candidate } from '../../../tasks/detection/nms.js';

export interface UltralyticsOptions {
  readonly classes: number;
  /** `conf`: a class of a box is a candidate if its score is above it. */
  readonly confidence: number;
  /** `iou`: of two candidates of a class that overlap by more, the worse one is dropped. */
  readonly iou: number;
  /** `max_det`. */
  readonly most: number;
}

/** Candidates that enter non-maximum suppression at most, best first: `max_nms`. */
const MOST_CANDIDATES = 30_000;

/** What `non_max_suppression` of ultralytics (utils/nms.py, with `multi_label`, as its validation calls it) finds in an output
 *  [4 + classes, rows]: x and y of the centre, width and height in pixels of the input, then the score of each class. */
export function decodeUltralytics(output: Float32Array, { classes, confidence, iou, most }: UltralyticsOptions): Found {
  const rows = output.length / (4 + classes);
  const at = (line: number, row: number): number => output[line * rows + row]!;
  const found: { row: number; score: number; classIndex: number }[] = [];
  for (let classIndex = 0; classIndex < classes; classIndex++)
    for (let row = 0; row < rows; row++) {
      const score = at(4 + classIndex, row);
      if (score > confidence) found.push({ row, score, classIndex });
    }
  const best = found.sort((one, other) => other.score - one.score).slice(0, MOST_CANDIDATES);
  const candidates = best.map(({ row, score, classIndex }): Candidate => {
    const [x, y, width, height] = [at(0, row), at(1, row), at(2, row), at(3, row)];
    const box = xyxy([x - width / 2, y - height / 2, x + width / 2, y + height / 2]);
    return { box, score, classIndex: classIndex as ClassIndex };
  });
  return suppressPerClass(candidates, {
    nms: 'hard',
    nmsThreshold: iou,
    scoreThreshold: confidence,
    maxDetections: most,
  });
}
