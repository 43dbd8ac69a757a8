import * as b from '../graph/builder.js';
import type { Graph, Value } from '../graph/spec.js';

/** Name of the input that random numbers in a graph are drawn from: two int32 words, with new values at each step. */
export const SEED = 'seed';

export function seedOf(graph: Graph): Value {
  const known = graph.nodes.find((node) => b.isOp(node, 'input') && node.attrs.name === SEED);
  return known?.outputs[0] ?? b.input(graph, SEED, [2], 'int32');
}
