import type { ClassIndex } from '../../../data/sample.js';
import { xyxy } from '../../../geometry/box.js';
import type { Found } from '../../../tasks/detection/detector.js';

/** The columns of a row: index of the image in the batch, four sides of the box, score, class. */
const COLUMNS = 7;

/** What Frigate's ONNX detector reads of an output [D,7] of a model of the type yolonas: at most `most` rows, up to the first
 *  one whose class is negative (frigate/detectors/plugins/onnx.py; Frigate takes 20). Boxes stay in pixels of the input. */
export function decodeYolonas(output: Float32Array, most: number): Found {
  const rows = Array.from({ length: output.length / COLUMNS }, (_, i) =>
    output.subarray(i * COLUMNS, (i + 1) * COLUMNS),
  );
  const end = rows.findIndex((row) => row[6]! < 0);
  const found = rows.slice(0, Math.min(most, end < 0 ? rows.length : end));
  return {
    boxes: xyxy(found.flatMap((row) => [...row.subarray(1, 5)])),
    scores: found.map((row) => row[5]!),
    classes: found.map((row) => Math.round(row[6]!) as ClassIndex),
  };
}
