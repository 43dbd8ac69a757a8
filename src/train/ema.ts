import * as b from '../graph/builder.js';
import { isOp } from '../graph/builder.js';
import { rewrite } from '../graph/rewrite.js';
import { slotName } from '../graph/slots.js';
import type { Value } from '../graph/spec.js';
import type { Model } from '../tasks/model.js';

export interface EmaOptions {
  /** Share of the old mean in the new one. */
  readonly decay: number;
  /** Lower the decay at first, so that the mean forgets the initial weights. */
  readonly warmup: boolean;
}

/** Share of the new value in the moving average of the weights, `updates` updates after its start. With warm-up the
 *  decay is at most (1 + t)/(10 + t), as in TensorFlow's ExponentialMovingAverage. */
export const emaShare = (updates: number, { decay, warmup }: EmaOptions): number =>
  1 - (warmup ? Math.min(decay, (1 + updates) / (10 + updates)) : decay);

/** Name of the moving average of a parameter. */
export const averageName = (name: string): string => slotName('ema', name);

/** Updates of the moving averages of the values that parameters are about to take: mean ← mean + share·(value − mean),
 *  with the share fed as `emaShare`. An average starts at its parameter's own value. */
export function averages(next: ReadonlyMap<string, Value>, model: Model): Value[] {
  const [first] = next.values();
  if (!first) return [];
  const { graph } = first.node;
  const share = b.input(graph, 'emaShare', []);
  return [...next].map(([name, value]) => {
    const attrs = model.parameters.get(name)!;
    const mean = b.param(graph, { ...attrs, name: averageName(name), role: 'slot' });
    return b.assign(averageName(name), b.add(mean, b.mul(b.sub(value, mean), share)));
  });
}

/** The same values over a new graph that reads the moving averages of the given parameters in their place. */
export const ofAverages = (roots: readonly Value[], names: ReadonlyMap<string, Value>): readonly Value[] =>
  rewrite(roots, (node, _map, graph) => {
    if (!isOp(node, 'param') || !names.has(node.attrs.name)) return undefined;
    return [b.param(graph, { ...node.attrs, name: averageName(node.attrs.name), role: 'slot' })];
  });
