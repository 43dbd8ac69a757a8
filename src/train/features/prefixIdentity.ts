import { createHash } from 'node:crypto';
import { parametersOf, type Program } from '../../graph/program.js';
import type { Params } from '../../graph/params.js';
import { wiringOf } from '../../graph/wiring.js';
import { hashBytes } from '../checkpoint/receipt.js';

/** Identifies what a frozen prefix computes by a hash over its nodes, the bytes of its weights, and all else that its
 *  results depend on (`conditions`: how images are read, which engine computes). Features of equal identity are
 *  interchangeable. */
export function prefixIdentity(prefix: Program, params: Params, conditions: Readonly<Record<string, unknown>>): string {
  const wiring = wiringOf(prefix);
  const weights = [...parametersOf({ prefix }).keys()].sort().map((name) => [name, hashBytes(params.get(name)!)]);
  return createHash('sha256').update(JSON.stringify({ conditions, wiring, weights })).digest('hex');
}
