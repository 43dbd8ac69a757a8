import { isOp } from './builder.js';
import type { Node, Value } from './spec.js';

/** What everyone who writes a graph in another format asks of it. */

/** The name of the layer that a node belongs to, or its op and number. */
export function layerOf({ inputs, op, id }: Node): string {
  const [x] = inputs;
  const own = op === 'biasAdd' ? [...x!.node.inputs, ...inputs] : inputs; // the layer whose bias is added
  const names = own.flatMap(({ node }) => (isOp(node, 'param') ? [node.attrs.name] : []));
  return names[0]?.replace(/\.(weight|bias)(\.folded)?$/, '') ?? `${op}_${id}`;
}

/** Number of nodes that read each value; more than one for those that the program returns. */
export function countReaders(nodes: readonly Node[], outputs: readonly Value[]): ReadonlyMap<Value, number> {
  const readers = new Map<Value, number>();
  const returned = outputs.flatMap((value) => [value, value]); // never read by one node alone
  for (const value of [...nodes.flatMap(({ inputs }) => inputs), ...returned])
    readers.set(value, (readers.get(value) ?? 0) + 1);
  return readers;
}
