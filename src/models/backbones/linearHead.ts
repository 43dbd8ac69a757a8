import { linear } from '../../graph/blocks.js';
import { globalAveragePool, reshape } from '../../graph/builder.js';
import type { Value } from '../../graph/spec.js';
import type { Classifier } from '../backbone.js';

/** [N,H,W,C] → [N,C]: the mean over rows and columns. */
export const pooled = (x: Value): Value => reshape(globalAveragePool(x), [x.shape[0]!, x.shape[3]!]);

/** Global average pooling, then one linear layer called `path`. */
export const linearHead =
  (path: string): Classifier =>
  ({ c5 }, at, classes) =>
    linear(pooled(c5), path, at, { units: classes });
