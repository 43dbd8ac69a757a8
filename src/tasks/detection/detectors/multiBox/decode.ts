import { clipBoxes, type Cxcywh } from '../../../../geometry/box.js';
import { decodeBoxes } from '../../boxCoder.js';
import type { DecodeOptions, Detector } from '../../detector.js';
import { selectPerClass } from '../../nms.js';
import type { MultiBoxOptions } from './options.js';

/** Turns `boxes` [A,4] and `logits` [A,columns] of one image into detections, with NMS for each class. anchors
 *  [A,4]. */
export function multiBoxDecoder(
  anchors: Cxcywh,
  options: DecodeOptions & Pick<MultiBoxOptions, 'classLoss'>,
): Detector['decode'] {
  const { size, numClasses, scoreThreshold } = options;
  const softmax = options.classLoss === 'softmax';
  const columns = softmax ? numClasses + 1 : numClasses;
  const count = anchors.length / 4;

  /** Scores [A] of one class; those that do not pass the threshold are 0. `partition`: with softmax, the sums of its
   *  exponentials [A]. */
  function scoresOf(logits: Float32Array, classIndex: number, partition: Float32Array | undefined): Float32Array {
    const scores = new Float32Array(count);
    const column = classIndex + (softmax ? 1 : 0);
    for (let i = 0; i < count; i++) {
      const logit = logits[i * columns + column]!;
      const score = partition ? Math.exp(logit) / partition[i]! : 1 / (1 + Math.exp(-logit));
      if (score > scoreThreshold) scores[i] = score;
    }
    return scores;
  }

  return ({ boxes: offsets, logits }) => {
    const partition = softmax ? rowSums(logits!, columns) : undefined;
    const scores = (classIndex: number): Float32Array => scoresOf(logits!, classIndex, partition);
    return selectPerClass(clipBoxes(decodeBoxes(offsets!, anchors), size), scores, options);
  };
}

/** Σ exp over each row of [rows, columns]. The logits of a trained network stay far from 88, where exp overflows. */
function rowSums(logits: Float32Array, columns: number): Float32Array {
  const sums = new Float32Array(logits.length / columns);
  for (let i = 0; i < logits.length; i++) sums[Math.floor(i / columns)]! += Math.exp(logits[i]!);
  return sums;
}
