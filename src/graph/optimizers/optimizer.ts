import * as b from '../builder.js';
import { slotName } from '../slots.js';
import type { ParamAttrs, Shape, Value } from '../spec.js';

/** How an optimizer turns one parameter's gradient into its next value. */
export interface Step {
  readonly w: Value;
  /** After clipping. */
  readonly g: Value;
  /** Scalar: the learning rate of this parameter. */
  readonly lr: Value;
  /** 0 for what does not decay. */
  readonly weightDecay: number;
  /** What the optimizer remembers beside the parameter under this name, zero at first. It is stored when `keep` is given its next value. */
  slot(name: string, shape?: Shape): Value;
  keep(name: string, next: Value): void;
}

/** The parameter's next value. */
export type Optimizer = (step: Step) => Value;

/** Slots of one parameter, as nodes. */
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

/** g with weight decay as a part of it (L2), as SGD and RMSProp have it in PyTorch. */
export const withDecay = ({ w, g, weightDecay }: Step): Value =>
  weightDecay > 0 ? b.add(g, b.mul(w, weightDecay)) : g;

/** old·keep + new·(1 − keep), stored under the name. */
export function average(step: Step, name: string, next: Value, keep: number, shape?: Shape): Value {
  const mean = b.add(b.mul(step.slot(name, shape), keep), b.mul(next, 1 - keep));
  step.keep(name, mean);
  return mean;
}
