import * as b from './builder.js';
import { isOp } from './builder.js';
import { gradients } from './grad.js';
import type { Graph, Node, Ops, Value } from './spec.js';

export interface SgdOptions {
  /** Scalar: the learning rate, fed at every step. */
  readonly lr: Value;
  readonly momentum: number;
  readonly nesterov: boolean;
  /** Decoupled (Loshchilov & Hutter 2019, arXiv:1711.05101): w loses lr · weightDecay · w. Weights only, no biases or BatchNorm. */
  readonly weightDecay: number;
  /** Gradients together are scaled down to this Euclidean norm; null leaves them. */
  readonly clipNorm: number | null;
  /** Factor of the learning rate for a parameter. */
  readonly lrScale?: (name: string) => number;
}

export const paramAttrs = (value: Value): Ops['param'] => (value.node as unknown as Node<'param'>).attrs;

/** Name of the optimizer's slot beside a parameter. */
export const slotName = (slot: string, name: string): string => `${slot}/${name}`;
/** The parameter that a slot belongs to; any other name is its own. */
export const slotOwner = (name: string): string => name.slice(name.indexOf('/') + 1);

/** One step of SGD for the given parameters, as nodes: v ← μ·v + g; w ← w − lr·(g + μ·v with Nesterov, else v). Sutskever et al. 2013,
 *  in PyTorch's form (the learning rate outside of v). Returns what to run and the gradients' norm before clipping. */
export function sgd(
  loss: Value,
  params: readonly Value[],
  { lr, momentum, nesterov, weightDecay, clipNorm, lrScale = () => 1 }: SgdOptions,
): { readonly updates: readonly Value[]; readonly gradientNorm: Value } {
  const { graph } = loss.node;
  const raw = gradients(loss, params);
  const squares = raw.map((g) => b.sum(b.square(g)));
  const gradientNorm = b.sqrt(squares.reduce((total, square) => b.add(total, square), b.scalar(graph, 0)));
  const shrink =
    clipNorm === null ? undefined : b.minimum(b.div(b.scalar(graph, clipNorm), b.add(gradientNorm, 1e-6)), 1);
  const rates = new Map<number, Value>();
  const rateOf = (scale: number): Value => {
    const rate = rates.get(scale) ?? (scale === 1 ? lr : b.mul(lr, scale));
    rates.set(scale, rate);
    return rate;
  };
  const updates = params.flatMap((w, i) => {
    const { name, role, shape, kind } = paramAttrs(w);
    const g = shrink ? b.mul(raw[i]!, shrink) : raw[i]!;
    const slot = slotName('momentum', name);
    const v = b.param(graph, { name: slot, role: 'slot', kind, shape, init: { type: 'constant', value: 0 } });
    const velocity = b.add(b.mul(v, momentum), g);
    const direction = nesterov ? b.add(g, b.mul(velocity, momentum)) : velocity;
    const decayed = role === 'weight' && weightDecay > 0 ? b.add(direction, b.mul(w, weightDecay)) : direction;
    return [b.assign(slot, velocity), b.assign(name, b.sub(w, b.mul(decayed, rateOf(lrScale(name)))))];
  });
  return { updates, gradientNorm };
}

/** The running statistics of every BatchNorm in training mode, as nodes: running ← (1 − m)·running + m·batch, variance unbiased. */
export function batchNormUpdates(graph: Graph): readonly Value[] {
  return graph.nodes.flatMap((node) => {
    if (!isOp(node, 'batchNorm') || !node.attrs.training) return [];
    const { momentum } = node.attrs;
    const blend = (running: Value, batch: Value): Value =>
      b.assign(paramAttrs(running).name, b.add(b.mul(running, 1 - momentum), b.mul(batch, momentum)));
    return [blend(node.inputs[3]!, node.outputs[1]!), blend(node.inputs[4]!, node.outputs[2]!)];
  });
}
