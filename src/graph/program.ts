import { invariant } from '../errors.js';
import { isOp } from './builder.js';
import { ancestors } from './rewrite.js';
import { sameShape } from './shapes.js';
import type { Node, Ops, Value } from './spec.js';

/** The named roots of one graph that one call computes: values to return by name, and assignments to make. */
export interface Program {
  readonly outputs: Readonly<Record<string, Value>>;
  readonly updates?: readonly Value[];
}

/** Programs by name. They may share parameters. */
export type Programs = Readonly<Record<string, Program>>;

/** The nodes that a program computes, in the graph's order. */
export const nodesOf = ({ outputs, updates = [] }: Program): Node[] =>
  ancestors([...Object.values(outputs), ...updates]);

/** The parameters of all programs by name. */
export function parametersOf(programs: Programs): Map<string, Ops['param']> {
  const parameters = new Map<string, Ops['param']>();
  for (const node of Object.values(programs).flatMap(nodesOf)) {
    if (!isOp(node, 'param')) continue;
    const known = parameters.get(node.attrs.name);
    invariant(!known || sameShape(known.shape, node.attrs.shape), `two shapes for ${node.attrs.name}`);
    parameters.set(node.attrs.name, node.attrs);
  }
  return parameters;
}

/** The inputs that a run of the program is fed. */
export function inputsOf(program: Program): Ops['input'][] {
  return nodesOf(program).flatMap((node) => (isOp(node, 'input') ? [node.attrs] : []));
}
