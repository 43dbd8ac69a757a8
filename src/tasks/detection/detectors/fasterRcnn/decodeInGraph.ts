import * as b from '../../../../graph/builder.js';
import type { Value } from '../../../../graph/spec.js';
import { decodeOffsets } from '../../boxLosses.js';
import { clipInGraph, softmaxInGraph, type GraphBoxes, type GraphOutputs } from '../../decodeInGraph.js';
import { LEAST_SIDE, SCALE } from './decode.js';

/** `fasterRcnnDecoder` in the graph, before it chooses. Each class of a proposal has a box of its own. */
export function fasterRcnnBoxes(outputs: GraphOutputs, size: readonly [number, number]): GraphBoxes {
  const { proposals, valid, logits, boxes: offsets } = outputs as Record<string, Value>;
  const [, rows, , columns] = offsets!.shape as [number, number, number, number];
  const classes = columns - 1;
  const ofClasses = b.reshape(b.slice(offsets!, [0, 0, 0, 1], [1, rows, 4, classes]), [rows, 4, classes]);
  const sides = (x: Value, [n, r]: readonly [number, number]) =>
    b.sub(b.slice(x, [0, 0, 2], [n, r, 2]), b.slice(x, [0, 0, 0], [n, r, 2]));
  const centres = b.mul(
    b.add(b.slice(proposals!, [0, 0, 2], [1, rows, 2]), b.slice(proposals!, [0, 0, 0], [1, rows, 2])),
    0.5,
  );
  const from = b.concat([centres, sides(proposals!, [1, rows])], 2);
  const boxes = clipInGraph(decodeOffsets(b.transpose(ofClasses, [2, 0, 1]), from, SCALE), size);
  const small = b.max(
    b.cast(b.greater(b.scalar(boxes.node.graph, LEAST_SIDE), sides(boxes, [classes, rows])), 'float32'),
    [2],
  );
  const counts = b.mul(
    b.reshape(valid!, [1, rows, 1]),
    b.reshape(b.transpose(b.sub(b.scalar(boxes.node.graph, 1), small), [1, 0]), [1, rows, classes]),
  );
  return { boxes, scores: b.mul(softmaxInGraph(logits!), counts) };
}
