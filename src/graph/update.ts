import * as b from './builder.js';
import { isOp } from './builder.js';
import { gradients } from './grad.js';
import { adamW } from './optimizers/adamw.js';
import { lamb } from './optimizers/lamb.js';
import { slotsOf, type Optimizer } from './optimizers/optimizer.js';
import { rmsProp } from './optimizers/rmsprop.js';
import { sgd } from './optimizers/sgd.js';
import { paramAttrs, slotName } from './slots.js';
import type { Graph, Value } from './spec.js';

/** Options of all optimizers, under the recipe's names. Each optimizer reads the ones that it knows. */
export interface OptimizerOptions {
  readonly name: 'sgd' | 'adamw' | 'rmsprop' | 'lamb';
  readonly momentum: number;
  readonly nesterov: boolean;
  readonly betas: readonly [number, number];
  readonly smoothing: number;
  readonly epsilon: number;
}

const optimizers: Record<OptimizerOptions['name'], (options: OptimizerOptions) => Optimizer> = {
  sgd,
  adamw: adamW,
  rmsprop: rmsProp,
  lamb,
};

/** How one parameter is trained. */
export interface Group {
  /** Factor on the learning rate. */
  readonly lr: number;
  readonly weightDecay: number;
}

export interface UpdateOptions {
  readonly optimizer: OptimizerOptions;
  /** Scalar: the learning rate, fed at every step. */
  readonly lr: Value;
  readonly groupOf: (name: string) => Group;
  /** Largest Euclidean norm of all gradients together; longer ones are scaled down to it. null: no limit. */
  readonly clipNorm: number | null;
  /** Largest absolute value of an element of a gradient, applied before the norm is limited. null: no limit. */
  readonly clipValue: number | null;
  /** Batches whose mean gradient makes one step. */
  readonly accumulate: number;
}

export interface Updates {
  /** The updates of a step. */
  readonly step: readonly Value[];
  /** Replaces `step` for all but the last of `accumulate` batches: sums their gradients. */
  readonly gather: readonly Value[];
  /** Euclidean norm of all gradients, before clipping. */
  readonly gradientNorm: Value;
  /** The new value of each parameter, by name. */
  readonly next: ReadonlyMap<string, Value>;
}

const GATHERED = 'gathered';

/** Adds the gradients of a loss and the optimizer's updates to its graph. */
export function updates(loss: Value, params: readonly Value[], options: UpdateOptions): Updates {
  const { optimizer, lr, groupOf, clipNorm, clipValue, accumulate } = options;
  const { graph } = loss.node;
  const raw = gradients(loss, params);
  const slots = params.map((w) => slotsOf(w, paramAttrs(w)));
  const sums = raw.map((g, i) => (accumulate > 1 ? b.add(slots[i]!.slot(GATHERED), g) : g));
  const means = accumulate > 1 ? sums.map((sum) => b.mul(sum, 1 / accumulate)) : sums;
  const gradientNorm = normOf(graph, means);
  const cut = clipValue === null ? means : means.map((g) => b.maximum(b.minimum(g, clipValue), -clipValue));
  const length = clipValue === null ? gradientNorm : normOf(graph, cut);
  const shrink = clipNorm === null ? undefined : b.minimum(b.div(b.scalar(graph, clipNorm), b.add(length, 1e-6)), 1);
  const rates = new Map<number, Value>();
  const rateOf = (scale: number): Value => {
    const rate = rates.get(scale) ?? (scale === 1 ? lr : b.mul(lr, scale));
    rates.set(scale, rate);
    return rate;
  };
  const move = optimizers[optimizer.name](optimizer);
  const next = new Map<string, Value>();
  for (const [i, w] of params.entries()) {
    const { name } = paramAttrs(w);
    const group = groupOf(name);
    const g = shrink ? b.mul(cut[i]!, shrink) : cut[i]!;
    const own = slots[i]!;
    next.set(
      name,
      move({ w, g, lr: rateOf(group.lr), weightDecay: group.weightDecay, slot: own.slot, keep: own.keep }),
    );
    if (accumulate > 1) own.keep(GATHERED, b.mul(sums[i]!, 0));
  }
  const stored = [...next].map(([name, value]) => b.assign(name, value));
  return {
    step: [...stored, ...slots.flatMap((slot) => slot.updates)],
    gather: accumulate > 1 ? params.map((w, i) => b.assign(slotName(GATHERED, paramAttrs(w).name), sums[i]!)) : [],
    gradientNorm,
    next,
  };
}

function normOf(graph: Graph, values: readonly Value[]): Value {
  const squares = values.map((value) => b.sum(b.square(value)));
  return b.sqrt(squares.reduce((total, square) => b.add(total, square), b.scalar(graph, 0)));
}

/** Computes the new running statistics of every BatchNorm in training mode, by name: running ← (1 − m)·running +
 *  m·batch, variance unbiased. */
export function batchNormUpdates(graph: Graph): ReadonlyMap<string, Value> {
  const next = new Map<string, Value>();
  for (const node of [...graph.nodes]) {
    if (!isOp(node, 'batchNorm') || !node.attrs.training) continue;
    const { momentum } = node.attrs;
    // A BatchNorm that is applied several times takes its batches one after the other, as in PyTorch.
    const blend = (running: Value, batch: Value): void => {
      const { name } = paramAttrs(running);
      next.set(name, b.add(b.mul(next.get(name) ?? running, 1 - momentum), b.mul(batch, momentum)));
    };
    blend(node.inputs[3]!, node.outputs[1]!);
    blend(node.inputs[4]!, node.outputs[2]!);
  }
  return next;
}

/** Stores each value in the parameter of its name. */
export const assignAll = (next: ReadonlyMap<string, Value>): Value[] =>
  [...next].map(([name, value]) => b.assign(name, value));
