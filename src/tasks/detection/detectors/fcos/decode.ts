import type { ClassIndex } from '../../../../data/sample.js';
import { clipBoxes } from '../../../../geometry/box.js';
import type { DecodeOptions, Detector } from '../../detector.js';
import { suppressPerClass, type Candidate } from '../../nms.js';
import { decodeDistances, type Points } from '../../points.js';

/** Best scores of each level that enter NMS. */
export const CANDIDATES = 1000;

interface Scored {
  readonly point: number;
  readonly classIndex: number;
  readonly score: number;
}

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

/** Turns `logits` [P,classes], `distances` [P,4] and `centernessLogits` [P] of one image into detections. Every class of a point is a
 *  candidate of its own; its score is the geometric mean of the probability and the centerness. */
export function fcosDecoder(points: Points, options: DecodeOptions): Detector['decode'] {
  const { numClasses, scoreThreshold, size } = options;
  const numLevels = points.levels.at(-1)! + 1;

  /** The scores above the threshold, level by level. */
  function scoresOf(logits: Float32Array, centernessLogits: Float32Array): Scored[][] {
    const found: Scored[][] = Array.from({ length: numLevels }, () => []);
    for (const [point, level] of points.levels.entries()) {
      const centerness = sigmoid(centernessLogits[point]!);
      for (let classIndex = 0; classIndex < numClasses; classIndex++) {
        const score = Math.sqrt(sigmoid(logits[point * numClasses + classIndex]!) * centerness);
        if (score > scoreThreshold) found[level]!.push({ point, classIndex, score });
      }
    }
    return found;
  }

  return ({ logits, distances, centernessLogits }) => {
    const best = scoresOf(logits!, centernessLogits!).flatMap((level) =>
      level.sort((one, other) => other.score - one.score).slice(0, CANDIDATES),
    );
    const candidates = best.map(({ point, classIndex, score }): Candidate => {
      const box = clipBoxes(decodeDistances(distances!, points, point), size);
      return { box, score, classIndex: classIndex as ClassIndex };
    });
    return suppressPerClass(candidates, options);
  };
}
