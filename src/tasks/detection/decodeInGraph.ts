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
