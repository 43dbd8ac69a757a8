import type { Cxcywh } from '../../geometry/box.js';
import * as b from '../../graph/builder.js';
import type { Value } from '../../graph/spec.js';
import type { CoderScale } from './boxCoder.js';
import { decodeOffsets } from './boxLosses.js';

/** Boxes and scores as values of the graph, for one image: what an exported model returns to programs that do not decode
 *  by themselves. Nothing is left out and nothing suppressed: R rows stand for all anchors, points or proposals. */
export interface GraphBoxes {
  /** [1,R,4] Xyxy in pixels of the input, limited to it; [K,R,4] where each class has boxes of its own. */
  readonly boxes: Value;
  /** [1,R,K], 0…1; 0 for rows that stand for nothing. */
  readonly scores: Value;
}

/** The same with one box in each row, whose score is 0 for the classes that it does not belong to: boxes [1,R,4], scores
 *  [1,R,K]. */
export function oneBoxPerRow({ boxes, scores }: GraphBoxes): GraphBoxes {
  const [, rows, classes] = scores.shape as [number, number, number];
  if (boxes.shape[0] === 1) return { boxes, scores };
  const all = classes * rows;
  const ofRow = Array.from({ length: all }, (_, i) => Math.floor(i / rows));
  const own = b.oneHot(b.constant(boxes.node.graph, ofRow, [1, all], 'int32'), classes);
  return {
    boxes: b.reshape(boxes, [1, all, 4]),
    scores: b.mul(b.reshape(b.transpose(scores, [0, 2, 1]), [1, all, 1]), own),
  };
}

/** The outputs of a detector by name. */
export type GraphOutputs = Readonly<Record<string, Value>>;

/** Limits boxes [...,4] Xyxy to an input of this height and width. */
export function clipInGraph(boxes: Value, [height, width]: readonly [number, number]): Value {
  const edge = b.constant(boxes.node.graph, [width, height, width, height], [4]);
  return b.minimum(b.maximum(boxes, 0), edge);
}

/** Boxes [1,A,4] of offsets [1,A,4] from anchors [A,4]. */
export function anchorBoxesInGraph(
  offsets: Value,
  anchors: Cxcywh,
  scale: CoderScale,
  size: readonly [number, number],
): Value {
  const from = b.constant(offsets.node.graph, [...anchors], [1, anchors.length / 4, 4]);
  return clipInGraph(decodeOffsets(offsets, from, scale), size);
}

/** The probabilities [1,R,K] of the classes, of logits [1,R,1 + K], whose first column is that of the background. */
export function softmaxInGraph(logits: Value): Value {
  const [n, rows, columns] = logits.shape as [number, number, number];
  const powers = b.exp(b.sub(logits, b.max(logits, [2], true)));
  const shares = b.div(powers, b.sum(powers, [2], true));
  return b.slice(shares, [0, 0, 1], [n, rows, columns - 1]);
}
