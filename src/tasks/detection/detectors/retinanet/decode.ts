import type { ClassIndex } from '../../../../data/sample.js';
import { clipBoxes, type Cxcywh } from '../../../../geometry/box.js';
import { decodeBoxes, type CoderScale } from '../../boxCoder.js';
import type { DecodeOptions, Detector } from '../../detector.js';
import { suppressPerClass, type Candidate } from '../../nms.js';

/** Scale of the offsets. */
export const SCALE: CoderScale = { centre: 1, size: 1 };
/** Best scores of each level that enter NMS. */
export const CANDIDATES = 1000;

interface Scored {
  readonly row: number;
  readonly logit: number;
  readonly classIndex: number;
}

/** Turns `boxes` [A,4] and `logits` [A,classes] of one image into detections. Every class of an anchor is a candidate
 *  of its own. anchors [A,4]; `lengths`: how many of them each level has. */
export function retinaNetDecoder(
  anchors: Cxcywh,
  lengths: readonly number[],
  options: DecodeOptions,
): Detector['decode'] {
  const { numClasses, scoreThreshold, size } = options;
  const least = Math.log(scoreThreshold / (1 - scoreThreshold));

  /** The best scores of the anchors from `first` to before `last`. */
  function bestOf(logits: Float32Array, first: number, last: number): Scored[] {
    const found: Scored[] = [];
    for (let i = first * numClasses; i < last * numClasses; i++) {
      if (logits[i]! > least)
        found.push({ row: Math.floor(i / numClasses), logit: logits[i]!, classIndex: i % numClasses });
    }
    return found.sort((one, other) => other.logit - one.logit).slice(0, CANDIDATES);
  }

  return ({ boxes: offsets, logits }) => {
    let first = 0;
    const found = lengths.flatMap((length) => {
      const start = first;
      first += length;
      return bestOf(logits!, start, first);
    });
    const candidates = found.map(({ row, logit, classIndex }): Candidate => {
      const at = [row * 4, row * 4 + 4] as const;
      const box = decodeBoxes(offsets!.subarray(...at), anchors.subarray(...at) as typeof anchors, SCALE);
      return { box: clipBoxes(box, size), score: 1 / (1 + Math.exp(-logit)), classIndex: classIndex as ClassIndex };
    });
    return suppressPerClass(candidates, options);
  };
}
