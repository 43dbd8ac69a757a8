import * as b from '../builder.js';
import { withDecay, type Optimizer } from './optimizer.js';

export interface SgdOptions {
  readonly momentum: number;
  readonly nesterov: boolean;
}

/** v ← μ·v + g; w ← w − lr·(g + μ·v with Nesterov, else v). Sutskever et al. 2013, in PyTorch's form: v does
 *  not contain the learning rate. */
export const sgd =
  ({ momentum, nesterov }: SgdOptions): Optimizer =>
  (step) => {
    const g = withDecay(step);
    if (momentum === 0) return b.sub(step.w, b.mul(g, step.lr));
    const velocity = b.add(b.mul(step.slot('momentum'), momentum), g);
    step.keep('momentum', velocity);
    return b.sub(step.w, b.mul(nesterov ? b.add(g, b.mul(velocity, momentum)) : velocity, step.lr));
  };
