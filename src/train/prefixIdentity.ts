import { createHash } from 'node:crypto';
import { parametersOf, type Program } from '../graph/program.js';
import type { Params } from '../graph/params.js';
import { ancestors } from '../graph/rewrite.js';
import { hashBytes } from './receipt.js';

/** Names what a frozen prefix computes, as a hash: its nodes, the bytes of its weights, and whatever else decides about its results
 *  (`conditions`: how images are read, who computes). Features under one name may stand for each other. */
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
