import { createHash } from 'node:crypto';
import { parametersOf, type Program } from '../../graph/program.js';
import type { Params } from '../../graph/params.js';
import { ancestors } from '../../graph/rewrite.js';
import { hashBytes } from '../checkpoint/receipt.js';

/** Identifies what a frozen prefix computes by a hash over its nodes, the bytes of its weights, and all else that its
 *  results depend on (`conditions`: how images are read, which engine computes). Features of equal identity are
 *  interchangeable. */
export function prefixIdentity(prefix: Program, params: Params, conditions: Readonly<Record<string, unknown>>): string {
  const nodes = ancestors(Object.values(prefix.outputs));
  const places = new Map(nodes.map((node, i) => [node, i]));
  const wiring = nodes.map(({ op, attrs, inputs }) => [
    op,
    attrs,
    inputs.map(({ node, index }) => [places.get(node), index]),
  ]);
  const outputs = Object.entries(prefix.outputs).map(([name, { node, index }]) => [name, places.get(node), index]);
  const weights = [...parametersOf({ prefix }).keys()].sort().map((name) => [name, hashBytes(params.get(name)!)]);
  return createHash('sha256').update(JSON.stringify({ conditions, wiring, outputs, weights })).digest('hex');
}
