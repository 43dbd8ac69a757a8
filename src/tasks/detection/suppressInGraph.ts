import * as b from '../../graph/builder.js';
import type { Value } from '../../graph/spec.js';
import { ranks } from '../ranks.js';
import type { GraphBoxes } from './decodeInGraph.js';
import type { SelectOptions } from './options.js';

/** Detections as outputs of a model, D rows, best first; rows from `count` on are 0. */
export interface GraphDetections {
  /** [1,D,4]: left, upper, right and lower side, in pixels of the input. */
  readonly boxes: Value;
  /** [1,D], 0…1. */
  readonly scores: Value;
  /** [1,D]: index of the class. */
  readonly classes: Value;
  /** [1]: number of detections. */
  readonly count: Value;
}

/** Boxes of a class that enter non-maximum suppression at most, in heads that do not count them by class. */
const MOST_CANDIDATES = 2000;

export interface GraphSelection extends Pick<SelectOptions, 'scoreThreshold' | 'nmsThreshold' | 'maxDetections'> {
  /** Boxes of a class that enter non-maximum suppression at most, best first. */
  readonly candidates?: number | undefined;
  /** Whether boxes of a class that overlap are suppressed. */
  readonly suppresses: boolean;
}

/** Adds the choice that decoding makes of a detector's boxes to the graph: in each class the best boxes, without those that
 *  overlap a better one, and the best of all classes. */
export function suppressInGraph(
  { boxes, scores }: GraphBoxes,
  { scoreThreshold, nmsThreshold, maxDetections, candidates = MOST_CANDIDATES, suppresses }: GraphSelection,
): GraphDetections {
  const { graph } = scores.node;
  const [, rows, classes] = scores.shape as [number, number, number];
  const most = Math.min(rows, suppresses ? candidates : maxDetections);
  const ofClass = b.reshape(b.transpose(scores, [0, 2, 1]), [classes, rows]);
  const [best, at] = b.topK(ofClass, most) as [Value, Value];
  const own = b.gather(b.broadcastTo(boxes, [classes, rows, 4]), at);
  const limit = Math.min(most, maxDetections);
  const kept = suppresses ? suppress(own, best, nmsThreshold, limit) : { boxes: own, scores: best };

  const all = classes * limit;
  const flat = b.reshape(kept.scores, [1, all]);
  const [found, places] = b.topK(flat, Math.min(maxDetections, all)) as [Value, Value];
  const numbers = b.constant(
    graph,
    Array.from({ length: all }, (_, i) => Math.floor(i / limit)),
    [1, all],
  );
  const counts = b.cast(b.greater(found, scoreThreshold), 'float32');
  return {
    boxes: b.mul(b.gather(b.reshape(kept.boxes, [1, all, 4]), places), b.reshape(counts, [1, found.shape[1]!, 1])),
    scores: b.mul(found, counts),
    classes: b.mul(b.gather(numbers, places), counts),
    count: b.sum(counts, [1]),
  };
}

/** Suppresses the boxes [K,C,4] of each class, with scores [K,C] best first; rows that are left over get the score 0. */
function suppress(boxes: Value, scores: Value, threshold: number, limit: number): GraphBoxes {
  const [classes] = scores.shape as [number];
  const [rows, count] = b.nonMaxSuppression(boxes, scores, { threshold, limit }) as [Value, Value];
  const isKept = b.greater(b.reshape(b.cast(count, 'float32'), [classes, 1]), ranks(boxes.node.graph, limit));
  return {
    boxes: b.gather(boxes, rows),
    scores: b.mul(b.gather(scores, rows), b.cast(isKept, 'float32')),
  };
}
