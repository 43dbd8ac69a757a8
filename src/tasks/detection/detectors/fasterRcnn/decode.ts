import type { ClassIndex } from '../../../../data/sample.js';
import { clipBoxes, xyxy, xyxyToCxcywh } from '../../../../geometry/box.js';
import { decodeBoxes, type CoderScale } from '../../boxCoder.js';
import type { DecodeOptions, Detector } from '../../detector.js';
import { suppressPerClass, type Candidate } from '../../nms.js';

/** Scale of the offsets that the second stage predicts. */
export const SCALE: CoderScale = { centre: 10, size: 5 };
/** Least width and height of a detection, in pixels. */
export const LEAST_SIDE = 1e-2;

/** Turns the outputs of one image into detections: `proposals` [P,4], `valid` [P], `logits` [P,columns], the
 *  background's first, and `boxes` [P,4,columns], offset by offset. Each class of a proposal has a box of its own. */
export function fasterRcnnDecoder(options: DecodeOptions): Detector['decode'] {
  const { numClasses, size, scoreThreshold } = options;
  const columns = numClasses + 1;

  /** The classes of one proposal that pass the threshold. */
  function detections(row: number, outputs: Readonly<Record<string, Float32Array>>): Candidate[] {
    const { proposals, logits, boxes: offsets } = outputs as Record<'proposals' | 'logits' | 'boxes', Float32Array>;
    const own = logits.subarray(row * columns, (row + 1) * columns);
    const largest = Math.max(...own);
    const powers = own.map((logit) => Math.exp(logit - largest));
    const sum = powers.reduce((total, power) => total + power, 0);
    const proposal = xyxyToCxcywh(xyxy(proposals.subarray(row * 4, row * 4 + 4)));
    return Array.from({ length: numClasses }, (_, k) => k as ClassIndex).flatMap((classIndex) => {
      const score = powers[classIndex + 1]! / sum;
      if (score <= scoreThreshold) return [];
      const four = [0, 1, 2, 3].map((i) => offsets[(row * 4 + i) * columns + classIndex + 1]!);
      const box = clipBoxes(decodeBoxes(Float32Array.from(four), proposal, SCALE), size);
      const isLarge = Math.min(box[2]! - box[0]!, box[3]! - box[1]!) >= LEAST_SIDE;
      return isLarge ? [{ box, score, classIndex }] : [];
    });
  }

  return (outputs) => {
    const valid = [...outputs.valid!].flatMap((isValid, row) => (isValid ? [row] : []));
    const candidates = valid.flatMap((row) => detections(row, outputs));
    return suppressPerClass(candidates, options);
  };
}
