import * as b from '../builder.js';
import { slotName } from '../slots.js';
import type { ParamAttrs, Shape, Value } from '../spec.js';

/** What an optimizer knows of one parameter when it computes its next value. */
export interface Step {
  /** The parameter. */
  readonly w: Value;
  /** Its gradient, after clipping. */
  readonly g: Value;
  /** Scalar: the learning rate of this parameter. */
  readonly lr: Value;
  /** 0 for parameters that do not decay. */
  readonly weightDecay: number;
  /** The value that the optimizer kept for the parameter under this name, zero at first. */
  slot(name: string, shape?: Shape): Value;
  /** Stores the next value of a slot. */
  keep(name: string, next: Value): void;
}

/** Computes the parameter's next value. */
export type Optimizer = (step: Step) => Value;

/** Adds slots of one parameter to its graph, and collects their updates. */
export function slotsOf(
  w: Value,
  { name, kind }: ParamAttrs,
): Pick<Step, 'slot' | 'keep'> & { readonly updates: readonly Value[] } {
  const updates: Value[] = [];
  return {
    updates,
    slot: (slot, shape = w.shape) =>
      b.param(w.node.graph, {
        name: slotName(slot, name),
        role: 'slot',
        kind: shape === w.shape ? kind : 'vector',
        shape,
        init: { type: 'constant', value: 0 },
      }),
    keep: (slot, next) => void updates.push(b.assign(slotName(slot, name), next)),
  };
}

/** Adds weight decay to the gradient (L2), as PyTorch's SGD and RMSProp do. */
export const withDecay = ({ w, g, weightDecay }: Step): Value =>
  weightDecay > 0 ? b.add(g, b.mul(w, weightDecay)) : g;

/** Updates a moving average, old·keep + new·(1 − keep), in the slot of this name. */
export function average(step: Step, name: string, next: Value, keep: number, shape?: Shape): Value {
  const mean = b.add(b.mul(step.slot(name, shape), keep), b.mul(next, 1 - keep));
  step.keep(name, mean);
  return mean;
}
