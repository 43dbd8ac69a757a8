import { FinetuneError } from '../errors.js';
import type { Regulariser } from '../graph/blocks.js';
import * as b from '../graph/builder.js';
import type { Value } from '../graph/spec.js';
import type { Backbone } from '../models/backbone.js';
import { buildClassifier } from '../models/classifier.js';
import { seedOf } from './seed.js';

export interface RegulariserOptions {
  readonly dropout: number;
  readonly stochasticDepth: number;
}

/** Dropout before the classifier (Srivastava et al. 2014) and stochastic depth at residual blocks, whose rate rises
 *  linearly from 0 at the first block to the given rate at the last (Huang et al. 2016, arXiv:1603.09382, section 3).
 *  Undefined where both rates are 0. */
export function regulariserFor(
  { blocks }: Places,
  { dropout, stochasticDepth }: RegulariserOptions,
): Regulariser | undefined {
  if (dropout === 0 && stochasticDepth === 0) return undefined;
  let block = 0;
  let stream = 0;
  /** Sets x to 0 with the probability `rate`, independently for each entry of `shape`, and divides the rest by 1 −
   *  rate, which keeps the mean. */
  const drop = (x: Value, shape: readonly number[], rate: number): Value => {
    if (rate === 0) return x;
    const drawn = b.randomUniform(seedOf(x.node.graph), shape, stream++);
    return b.mul(x, b.mul(b.cast(b.greaterEqual(drawn, rate), 'float32'), 1 / (1 - rate)));
  };
  return {
    dropout: (x) => drop(x, x.shape, dropout),
    dropBranch: (x) => {
      const rate = blocks > 1 ? (stochasticDepth * block) / (blocks - 1) : stochasticDepth;
      block++;
      return drop(x, [x.shape[0]!, 1, 1, 1], rate);
    },
  };
}

/** How many places a backbone has for stochastic depth (`blocks`) and for dropout (`linear`). */
export interface Places {
  readonly blocks: number;
  readonly linear: number;
}

/** Counts the residual blocks and the last layers of a backbone. Throws E_MODEL_DROP for an option that would have no
 *  effect on it. */
export function findPlaces(backbone: Backbone, { dropout, stochasticDepth }: RegulariserOptions): Places {
  let [blocks, linear] = [0, 0];
  if (dropout === 0 && stochasticDepth === 0) return { blocks, linear };
  const counting: Regulariser = { dropout: (x) => (linear++, x), dropBranch: (x) => (blocks++, x) };
  const size = [backbone.resolution, backbone.resolution] as const;
  buildClassifier(backbone, 2, { batch: 1, size, trainBatchNorm: () => false, regulariser: counting });
  const lacking = [
    ...(dropout > 0 && linear === 0 ? ['"model.dropout" needs a linear layer after the pooling'] : []),
    ...(stochasticDepth > 0 && blocks === 0 ? ['"model.stochasticDepth" needs residual blocks'] : []),
  ];
  if (lacking.length === 0) return { blocks, linear };
  const message = `${lacking.join(' and ')}, which ${backbone.name} does not have`;
  throw new FinetuneError({ code: 'E_MODEL_DROP', message, fix: 'set it to 0' });
}
