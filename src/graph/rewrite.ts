import { addNode, createGraph } from './builder.js';
import type { Graph, Node, Value } from './spec.js';

/** Copies the given roots and the nodes that they depend on into a new graph. For a node of the old graph, `replace`
 *  may return other values of the new one, one per output; undefined copies the node. `map` gives the copy of any
 *  earlier value. */
export function rewrite(
  roots: readonly Value[],
  replace: (node: Node, map: (value: Value) => Value, graph: Graph) => readonly Value[] | undefined,
): readonly Value[] {
  const graph = createGraph();
  const done = new Map<Node, readonly Value[]>();
  const map = (value: Value): Value => visit(value.node)[value.index]!;
  const visit = (node: Node): readonly Value[] => {
    const known = done.get(node);
    if (known) return known;
    const made = replace(node, map, graph) ?? addNode(graph, node.op, node.inputs.map(map), node.attrs as never);
    done.set(node, made);
    return made;
  };
  return roots.map(map);
}

/** Finds the nodes that the given values depend on, in the graph's order. */
export function ancestors(roots: readonly Value[]): Node[] {
  const seen = new Set<Node>();
  const stack = roots.map((root) => root.node);
  for (let node = stack.pop(); node; node = stack.pop()) {
    if (seen.has(node)) continue;
    seen.add(node);
    for (const value of node.inputs) stack.push(value.node);
  }
  return [...seen].sort((a, b) => a.id - b.id);
}

/** Splits the nodes that compute `roots` into a prefix and the rest, which takes the prefix's results as inputs called
 *  `feature.0`, `feature.1`, … Returns these results in the old graph as `frontier`, and the given values in a new
 *  graph as `roots`. */
export function splitAt(
  roots: readonly Value[],
  inPrefix: (node: Node) => boolean,
): { readonly frontier: readonly Value[]; readonly roots: readonly Value[] } {
  const cut = (node: Node): boolean => node.inputs.length > 0 && inPrefix(node);
  const read = ancestors(roots).flatMap((node) => (cut(node) ? [] : node.inputs.filter((value) => cut(value.node))));
  const frontier = [...new Set([...read, ...roots.filter((root) => cut(root.node))])];
  const rest = rewrite(roots, (node, _map, graph) => {
    if (!cut(node)) return undefined;
    return node.outputs.map((value) => {
      const name = `feature.${frontier.indexOf(value)}`;
      return addNode(graph, 'input', [], { name, shape: value.shape, dtype: value.dtype })[0]!;
    });
  });
  return { frontier, roots: rest };
}
