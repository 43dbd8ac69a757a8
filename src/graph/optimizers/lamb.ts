import * as b from '../builder.js';
import { adamDirection, type AdamOptions } from './adamw.js';
import type { Optimizer } from './optimizer.js';
import type { Value } from '../spec.js';

const norm = (x: Value): Value => b.sqrt(b.sum(b.square(x)));

/** w ← w − lr·‖w‖/‖r‖·r, where r is Adam's direction plus the weight decay. You et al. 2020 (arXiv:1904.00962),
 *  algorithm 2. As in timm, the factor ‖w‖/‖r‖ is 1 where a norm is zero, and for parameters that do not decay. */
export const lamb =
  (options: AdamOptions): Optimizer =>
  (step) => {
    const { w, lr, weightDecay } = step;
    const direction = adamDirection(step, options);
    if (weightDecay === 0) return b.sub(w, b.mul(direction, lr));
    const decayed = b.add(direction, b.mul(w, weightDecay));
    const [length, wanted] = [norm(w), norm(decayed)];
    const both = b.mul(b.sign(length), b.sign(wanted)); // 0 where one of them is 0, else 1
    const ratio = b.div(length, b.add(wanted, b.sub(b.scalar(w.node.graph, 1), b.sign(wanted))));
    const trust = b.add(b.mul(both, ratio), b.sub(b.scalar(w.node.graph, 1), both));
    return b.sub(w, b.mul(decayed, b.mul(trust, lr)));
  };
