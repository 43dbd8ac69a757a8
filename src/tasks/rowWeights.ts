import * as b from '../graph/builder.js';
import type { Value } from '../graph/spec.js';

/** The weight of each row's class: int32 [...] in 0…K−1 → float32 [...]. Rows with another index (background, or not to
 *  be learnt) weigh 1. */
export function rowWeights(classes: Value, weights: readonly number[]): Value {
  const { graph } = classes.node;
  const excess = weights.map((weight) => weight - 1);
  const row = b.constant(graph, excess, [...classes.shape.map(() => 1), weights.length]);
  return b.add(b.sum(b.mul(b.oneHot(classes, weights.length), row), [classes.shape.length]), 1);
}
