import { linear } from '../../graph/blocks.js';
import { concat, globalAveragePool, mul, reshape, scalar, slice, sum } from '../../graph/builder.js';
import type { Value } from '../../graph/spec.js';
import type { Classifier } from '../backbone.js';

/** [N,H,W,C] → [N,C]: the mean over rows and columns. */
export const pooled = (x: Value): Value => reshape(globalAveragePool(x), [x.shape[0]!, x.shape[3]!]);

/** Means of `count` windows along an axis, which overlap or repeat where its length is no multiple of `count`. */
function windowMeans(x: Value, axis: number, count: number): Value {
  const length = x.shape[axis]!;
  if (length === count) return x;
  const means = Array.from({ length: count }, (_, i) => {
    const start = Math.floor((i * length) / count);
    const size = Math.ceil(((i + 1) * length) / count) - start;
    const begin = x.shape.map((_, k) => (k === axis ? start : 0));
    const window = slice(
      x,
      begin,
      x.shape.map((whole, k) => (k === axis ? size : whole)),
    );
    return mul(sum(window, [axis], true), scalar(x.node.graph, 1 / size));
  });
  return concat(means, axis);
}

/** [N,H,W,C] → [N,side,side,C]: PyTorch's adaptive average pooling. */
export const adaptivePool = (x: Value, side: number): Value => windowMeans(windowMeans(x, 1, side), 2, side);

/** Global average pooling, then one linear layer called `path`. */
export const linearHead =
  (path: string): Classifier =>
  ({ c5 }, at, classes) =>
    linear(pooled(c5), path, at, { units: classes });
