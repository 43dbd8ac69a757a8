import * as b from '../graph/builder.js';
import type { Graph, Value } from '../graph/spec.js';

/** The numbers 0, 1, … count − 1 as a row: [1, count]. */
export function ranks(graph: Graph, count: number): Value {
  const numbers = Array.from({ length: count }, (_, i) => i);
  return b.constant(graph, numbers, [1, count]);
}
