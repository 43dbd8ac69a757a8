import { isOp } from '../graph/builder.js';
import type { Node, Value } from '../graph/spec.js';
import type { Emission, Place } from './emission.js';

/** Activations that the graph composes of several ops and that ONNX has as one, which runtimes fuse into the convolution
 *  before it. */

/** The value of a scalar constant. */
function scalarOf({ node, shape }: Value): number | undefined {
  return isOp(node, 'constant') && shape.length === 0 ? node.attrs.values[0] : undefined;
}
/** The other input of a node that combines a value with a scalar constant of this value. */
function besides({ inputs }: Node, scalar: number): Value | undefined {
  const place = inputs.findIndex((value) => scalarOf(value) === scalar);
  return place < 0 || inputs.length !== 2 ? undefined : inputs[1 - place];
}

function activation(op: string, x: Value, node: Node, at: Emission, attrs: Parameters<Emission['add']>[2]): Place[] {
  const order = at.orderFor({ ...node, inputs: [x] });
  return [{ name: at.add(op, [at.in(order, x)], attrs), order }];
}

/** relu6(x + 3) · ⅙ */
export function hardSigmoid(node: Node, at: Emission): Place[] | undefined {
  const gate = besides(node, 1 / 6);
  if (!gate || !isOp(gate.node, 'relu6') || !at.hasOneReader(gate)) return undefined;
  const [shifted] = gate.node.inputs as [Value];
  if (!isOp(shifted.node, 'add') || !at.hasOneReader(shifted)) return undefined;
  const x = besides(shifted.node, 3);
  return x && activation('HardSigmoid', x, node, at, { alpha: { float: 1 / 6 }, beta: { float: 0.5 } });
}

/** max(x, slope · x), with a slope between 0 and 1 */
export function leakyRelu(node: Node, at: Emission): Place[] | undefined {
  const [x, scaled] = node.inputs as [Value, Value];
  if (!isOp(scaled.node, 'mul') || !at.hasOneReader(scaled)) return undefined;
  const slope = scaled.node.inputs.map(scalarOf).find((scalar) => scalar !== undefined);
  if (slope === undefined || slope < 0 || slope > 1 || besides(scaled.node, slope) !== x) return undefined;
  return activation('LeakyRelu', x, node, at, { alpha: { float: slope } });
}
