import * as b from '../../../../graph/builder.js';
import { clipInGraph, type GraphBoxes, type GraphOutputs } from '../../decodeInGraph.js';
import type { Points } from '../../points.js';

/** `fcosDecoder` in the graph, before it chooses. */
export function fcosBoxes(
  outputs: GraphOutputs,
  { centres, strides }: Points,
  size: readonly [number, number],
): GraphBoxes {
  const { logits, distances, centernessLogits } = outputs;
  const { graph } = logits!.node;
  const count = strides.length;
  const part = (first: number) => b.slice(distances!, [0, 0, first], [1, count, 2]);
  const middle = b.constant(graph, [...centres], [1, count, 2]);
  const unit = b.constant(graph, [...strides], [1, count, 1]);
  const [low, high] = [b.sub(middle, b.mul(part(0), unit)), b.add(middle, b.mul(part(2), unit))];
  const central = b.reshape(b.sigmoid(centernessLogits!), [1, count, 1]);
  return {
    boxes: clipInGraph(b.concat([low, high], 2), size),
    scores: b.sqrt(b.mul(b.sigmoid(logits!), central)),
  };
}
