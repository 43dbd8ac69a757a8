import * as b from '../graph/builder.js';
import type { Value } from '../graph/spec.js';

/** The weight of each row's class: int32 [...] in 0…K−1 → float32 [...]; another index (background, not to be learnt) weighs 1. */
export function rowWeights(classes: Value, weights: readonly number[]): Value {
  const { graph } = classes.node;
  const excess = b.constant(graph, weights.map((weight) => weight - 1), [...classes.shape.map(() => 1), weights.length]); // prettier-ignore
  return b.add(b.sum(b.mul(b.oneHot(classes, weights.length), excess), [classes.shape.length]), 1);
}
