import type { Program } from './program.js';
import { nodesOf } from './program.js';

/** What a program computes, as data for a hash: its nodes with their attributes and inputs, and where its outputs come
 *  from. Programs of equal wiring compute the same from equal parameters and inputs. */
export function wiringOf(program: Program): unknown {
  const nodes = nodesOf(program);
  const places = new Map(nodes.map((node, i) => [node, i]));
  const wiring = nodes.map(({ op, attrs, inputs }) => [
    op,
    attrs,
    inputs.map(({ node, index }) => [places.get(node), index]),
  ]);
  const outputs = Object.entries(program.outputs).map(([name, { node, index }]) => [name, places.get(node), index]);
  return { wiring, outputs };
}
