import * as b from '../builder.js';
import { average, type Optimizer, type Step } from './optimizer.js';
import type { Value } from '../spec.js';

export interface AdamOptions {
  /** Shares of the old means of g and g² in the new ones. */
  readonly betas: readonly [number, number];
  readonly epsilon: number;
}

/** Adam's direction m̂/(√v̂ + ε). Kingma & Ba 2015 (arXiv:1412.6980), algorithm 1. The bias corrections 1 − βᵗ are
 *  moving averages of ones. Every parameter has its own, because t starts at 0 for one that thaws late. */
export function adamDirection(step: Step, { betas: [beta1, beta2], epsilon }: AdamOptions): Value {
  const one = b.constant(step.w.node.graph, [1], [1]);
  const mean = average(step, 'mean', step.g, beta1);
  const square = average(step, 'square', b.square(step.g), beta2);
  const unbiasedMean = b.div(mean, average(step, 'meanSteps', one, beta1, [1]));
  const unbiasedSquare = b.div(square, average(step, 'squareSteps', one, beta2, [1]));
  return b.div(unbiasedMean, b.add(b.sqrt(unbiasedSquare), epsilon));
}

/** w ← w − lr·decay·w − lr·direction, with Adam's direction. Loshchilov & Hutter 2019 (arXiv:1711.05101). */
export const adamW =
  (options: AdamOptions): Optimizer =>
  (step) => {
    const { w, lr, weightDecay } = step;
    const decayed = weightDecay > 0 ? b.mul(w, b.sub(b.scalar(w.node.graph, 1), b.mul(lr, weightDecay))) : w;
    return b.sub(decayed, b.mul(adamDirection(step, options), lr));
  };
