import * as b from '../builder.js';
import { average, withDecay, type Optimizer } from './optimizer.js';

export interface RmsPropOptions {
  /** Share of the old mean square in the new one. */
  readonly smoothing: number;
  readonly momentum: number;
  readonly epsilon: number;
}

/** w ← w − lr·v, v ← μ·v + g/(√s + ε), s the moving average of g². Tieleman & Hinton 2012, in PyTorch's form: ε is
 *  added outside the root. */
export const rmsProp =
  ({ smoothing, momentum, epsilon }: RmsPropOptions): Optimizer =>
  (step) => {
    const g = withDecay(step);
    const square = average(step, 'square', b.square(g), smoothing);
    const scaled = b.div(g, b.add(b.sqrt(square), epsilon));
    if (momentum === 0) return b.sub(step.w, b.mul(scaled, step.lr));
    const velocity = b.add(b.mul(step.slot('momentum'), momentum), scaled);
    step.keep('momentum', velocity);
    return b.sub(step.w, b.mul(velocity, step.lr));
  };
