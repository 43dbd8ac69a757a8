import * as b from '../../../../graph/builder.js';
import type { Value } from '../../../../graph/spec.js';
import { ranks } from '../../../ranks.js';

export interface SampleOptions {
  /** Number of rows to take from each image. */
  readonly count: number;
  /** Largest share of positive rows among them, 0…1. */
  readonly positive: number;
}

/** Number of ranges of IoU that negatives are taken from evenly: Pang et al. 2019 (arXiv:1904.02701), section 3.1. */
const BINS = 3;

/** 1 for the rows of `mask` with the highest keys, at most `quota` [N,1] of each image. mask, keys [N,T]; keys in
 *  0…1. */
function highest(mask: Value, keys: Value, quota: Value, most: number): Value {
  const { graph } = mask.node;
  const candidates = b.mul(mask, b.add(keys, 1)); // ≥ 1 for rows that may be taken, 0 for all others
  const columns = Math.min(most + 1, mask.shape[1]!);
  const [sorted] = b.topK(candidates, columns) as [Value, Value];
  const beyond = b.max(b.mul(sorted, b.cast(b.greaterEqual(ranks(graph, columns), quota), 'float32')), [1], true);
  return b.mul(b.cast(b.greater(candidates, beyond), 'float32'), mask);
}

/** A number for each row; those with the highest are taken first: [N,T], above 3 for positives (at most `count ·
 *  positive` of them), 1…3 for negatives, 0 for others. positive, negative [N,T] are masks; keys [N,T] in 0…1 decide
 *  among equals, the highest first. With random keys this is torchvision's BalancedPositiveNegativeSampler. With
 *  `overlaps` [N,T], the largest IoU of each row, negatives come evenly from three ranges of it, as in Libra R-CNN. */
export function sampleOrder(
  { positive, negative, keys, overlaps }: { positive: Value; negative: Value; keys: Value; overlaps?: Value },
  { count, positive: share, matchIou }: SampleOptions & { readonly matchIou: number },
): Value {
  const { graph } = positive.node;
  const most = Math.floor(count * share);
  const chosen = highest(positive, keys, b.constant(graph, [most], [1, 1]), most);
  let order = b.add(b.mul(chosen, b.add(keys, 3.5)), b.mul(negative, b.add(keys, 1)));
  if (!overlaps) return order;
  const quota = b.mul(b.sub(b.scalar(graph, count), b.sum(chosen, [1], true)), 1 / BINS);
  for (let bin = 0; bin < BINS; bin++) {
    const width = matchIou / BINS;
    const above = b.cast(b.greaterEqual(overlaps, bin * width), 'float32');
    const below =
      bin === BINS - 1
        ? negative
        : b.mul(negative, b.cast(b.greater(b.scalar(graph, (bin + 1) * width), overlaps), 'float32'));
    order = b.add(order, highest(b.mul(above, below), keys, quota, Math.ceil(count / BINS)));
  }
  return order;
}

/** 1 for the first `count` rows of an order, 0 for the others and for rows whose order is 0: [N,T]. */
export function takeFirst(order: Value, count: number): Value {
  const [sorted] = b.topK(order, Math.min(count, order.shape[1]!)) as [Value, Value];
  const last = b.slice(sorted, [0, sorted.shape[1]! - 1], [sorted.shape[0]!, 1]);
  return b.mul(b.cast(b.greaterEqual(order, last), 'float32'), b.cast(b.greater(order, 0), 'float32'));
}
