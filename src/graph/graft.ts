import { addNode, isOp } from './builder.js';
import type { Node, Value } from './spec.js';

/** Copies the nodes that compute `roots` into the graph of `inputs`, which replace the inputs of the same names. The
 *  copies' parameters are called `<prefix><name>`. */
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
    const attrs = isOp(node, 'param') ? { ...node.attrs, name: prefix + node.attrs.name } : node.attrs;
    return addNode(graph, node.op, node.inputs.map(map), attrs as never);
  };
  return roots.map(map);
}
