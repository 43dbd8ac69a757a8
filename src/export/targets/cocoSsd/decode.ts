import type { ClassIndex } from '../../../data/sample.js';
import { rowOf, xyxy } from '../../../geometry/box.js';
import type { Found } from '../../../tasks/detection/detector.js';
import { nms } from '../../../tasks/detection/nms.js';

export interface CocoSsdOptions {
  /** Our class of each column of the scores; undefined for columns that stand for no class. */
  readonly classes: readonly (ClassIndex | undefined)[];
  /** Height and width of the input in pixels. */
  readonly size: readonly [number, number];
  /** `minScore` of `detect`: the least score, and also the overlap of two boxes from which on the worse one is dropped. */
  readonly minScore: number;
  /** `maxNumBoxes` of `detect`. */
  readonly most: number;
}

/** What `detect` of @tensorflow-models/coco-ssd 2.2.3 finds in scores [1,R,C] and boxes [1,R,1,4]: each box has the class with
 *  its best score, and boxes of all classes suppress each other. */
export function decodeCocoSsd(
  scores: Float32Array,
  boxes: Float32Array,
  { classes, size: [height, width], minScore, most }: CocoSsdOptions,
): Found {
  const columns = classes.length;
  const rows = boxes.length / 4;
  const best = Array.from({ length: rows }, (_, row) => {
    let column = 0;
    for (let i = 1; i < columns; i++) if (scores[row * columns + i]! > scores[row * columns + column]!) column = i;
    return { row, column, score: scores[row * columns + column]! };
  });
  const corners = xyxy(
    Array.from({ length: rows }, (_, row) => {
      const [top, left, bottom, right] = rowOf(boxes, row);
      return [left * width, top * height, right * width, bottom * height];
    }).flat(),
  );
  const order = best.filter(({ score }) => score > minScore).sort((one, other) => other.score - one.score);
  const kept = nms(
    corners,
    order.map(({ row }) => row),
    minScore,
    most,
  );
  const found = kept.map((row) => best[row]!).filter(({ column }) => classes[column] !== undefined);
  return {
    boxes: xyxy(found.flatMap(({ row }) => [...corners.subarray(4 * row, 4 * row + 4)])),
    scores: found.map(({ score }) => score),
    classes: found.map(({ column }) => classes[column]!),
  };
}
