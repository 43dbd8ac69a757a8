import { isOp } from './builder.js';
import { ancestors } from './rewrite.js';
import { sizeOf } from './shapes.js';
import type { Node, Role, Value } from './spec.js';

export interface Count {
  /** Number of trained values: weights, biases, BatchNorm scales and shifts; no statistics. */
  readonly params: number;
  /** Multiply-adds of convolutions and linear layers for the graph's batch. */
  readonly macs: number;
  /** Bytes of all results of convolutions, norms, activations and sums: an upper bound of what training must keep. */
  readonly activationBytes: number;
}

const counted: readonly Role[] = ['weight', 'bias', 'scale', 'shift'];

function macsOf(node: Node): number {
  const y = node.outputs[0]!.shape;
  if (isOp(node, 'conv')) return sizeOf(y) * sizeOf(node.inputs[1]!.shape.slice(0, 3));
  if (isOp(node, 'depthwise')) return sizeOf(y) * sizeOf(node.inputs[1]!.shape.slice(0, 2));
  if (isOp(node, 'matMul'))
    return sizeOf(y) * (node.attrs.transposeA ? node.inputs[0]!.shape[0]! : node.inputs[0]!.shape[1]!);
  return 0;
}

/** Counts parameters, multiply-adds and activation memory of everything that `roots` depend on. */
export const count = (roots: readonly Value[]): Count => countNodes(ancestors(roots));

/** Counts the same for the given nodes alone. */
export function countNodes(nodes: readonly Node[]): Count {
  const total = (of: (node: Node) => number): number => nodes.reduce((sum, node) => sum + of(node), 0);
  return {
    params: total((node) => (isOp(node, 'param') && counted.includes(node.attrs.role) ? sizeOf(node.attrs.shape) : 0)),
    macs: total(macsOf),
    activationBytes: total((node) => (node.inputs.length > 0 ? 4 * sizeOf(node.outputs[0]!.shape) : 0)),
  };
}
