import * as b from '../../graph/builder.js';
import type { Value } from '../../graph/spec.js';
import { hardest } from '../losses.js';

/** `mse`: the mean of the weighted squares over all cells, equation 4 of the paper (Baek et al. 2019,
 *  arXiv:1904.01941). The background outweighs the few cells of characters. `hardNegatives`: the mean over the cells of
 *  characters plus the mean over the hardest other cells, `negatives` for each cell of a character. This is the OHEM at
 *  1 : 3 that the paper names in its section on the implementation. */
export interface TextLossOptions {
  readonly loss: 'mse' | 'hardNegatives';
  readonly negatives: number;
}

/** A cell with a larger target belongs to a character. */
const POSITIVE = 0.1;
/** Least number of negatives, for images with little text or none. */
const LEAST_NEGATIVES = 500;

/** The loss of one score map, a scalar. prediction, target and weight are [N, cells]. */
export function mapLoss(prediction: Value, target: Value, weight: Value, { loss, negatives }: TextLossOptions): Value {
  const [batch, cells] = prediction.shape as [number, number];
  const squares = b.mul(b.square(b.sub(prediction, target)), weight);
  if (loss === 'mse') return b.mul(b.sum(squares), 1 / (batch * cells));
  const positive = b.cast(b.greater(target, POSITIVE), 'float32');
  const negative = b.add(b.neg(positive), 1);
  const count = b.sum(positive, [1], true); // [N, 1]
  const hard = hardest(squares, negative, b.maximum(b.mul(count, negatives), Math.min(LEAST_NEGATIVES, cells)));
  const mean = (mask: Value): Value =>
    b.sum(b.div(b.sum(b.mul(squares, mask), [1], true), b.maximum(b.sum(mask, [1], true), 1)));
  return b.mul(b.add(mean(positive), mean(hard)), 1 / batch);
}
