import { isOp } from '../graph/builder.js';
import type { Node, Value } from '../graph/spec.js';
import type { Emission, Rule } from './emission.js';
import { ACTIVATION, type FusedActivation, type OperatorName } from './operators.js';

/** Nodes that take the activation after them into themselves, as TFLite's own converter writes them. */

/** Writes a node with the activation that follows it. */
export type Write = (node: Node, at: Emission, activation: FusedActivation) => readonly string[] | undefined;

/** The options of a node with this activation. */
export const fused = (activation: FusedActivation) => ({ activation: ACTIVATION[activation] });

/** An activation: a part of the node before it, if that is read by nothing else and can take it, otherwise a node. */
export const activate =
  (activation: FusedActivation, op: OperatorName, write: Write): Rule<'relu' | 'relu6'> =>
  ({ inputs, outputs }, at) => {
    const [x] = inputs as [Value];
    const whole = at.hasOneReader(x) ? write(x.node, at, activation) : undefined;
    return whole ?? [at.add(op, [at.in(x)], outputs[0]!)];
  };

/** The value of a scalar constant. */
function scalarOf({ node, shape }: Value): number | undefined {
  return isOp(node, 'constant') && shape.length === 0 ? node.attrs.values[0] : undefined;
}

/** max(x, slope · x), with a slope between 0 and 1 */
export function leakyRelu({ inputs, outputs }: Node, at: Emission): readonly string[] | undefined {
  const [x, scaled] = inputs as [Value, Value];
  if (!isOp(scaled.node, 'mul') || !at.hasOneReader(scaled)) return undefined;
  const slope = scaled.node.inputs.map(scalarOf).find((scalar) => scalar !== undefined);
  if (slope === undefined || slope < 0 || slope > 1 || !scaled.node.inputs.includes(x)) return undefined;
  return [at.add('LEAKY_RELU', [at.in(x)], outputs[0]!, { slope })];
}
