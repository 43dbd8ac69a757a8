import { addNode, isOp } from './builder.js';
import type { Node, Ops, Value } from './spec.js';

/** Copies what computes `roots` into the graph of `inputs`, which stand for the inputs of the same names; its parameters are called
 *  `<prefix><name>` there. */
export function graft(
  roots: readonly Value[],
  inputs: Readonly<Record<string, Value>>,
  prefix: string,
): readonly Value[] {
  const { graph } = Object.values(inputs)[0]!.node;
  const done = new Map<Node, readonly Value[]>();
  const visit = (node: Node): readonly Value[] => {
    const known = done.get(node);
    if (known) return known;
    const made = copy(node);
    done.set(node, made);
    return made;
  };
  const map = (value: Value): Value => visit(value.node)[value.index]!;
  const copy = (node: Node): readonly Value[] => {
    const given = isOp(node, 'input') ? inputs[node.attrs.name] : undefined;
    if (given) return [given];
    const attrs = isOp(node, 'param') ? ({ ...node.attrs, name: prefix + node.attrs.name } satisfies Ops['param']) : node.attrs; // prettier-ignore
    return addNode(graph, node.op, node.inputs.map(map), attrs as never);
  };
  return roots.map(map);
}
