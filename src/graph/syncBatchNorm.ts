import * as b from './builder.js';
import { isOp } from './builder.js';
import { rewrite } from './rewrite.js';
import { sizeOf } from './shapes.js';
import type { Ops, Value } from './spec.js';
import type { Norm } from './update.js';

/** The same values over a new graph in which every BatchNorm in training mode normalises with the statistics of the
 *  batches of all workers together, and what the running statistics are updated with. */
export function syncBatchNorms(
  roots: readonly Value[],
  workers: number,
): { readonly roots: readonly Value[]; readonly norms: readonly Norm[] } {
  const norms: Norm[] = [];
  const synced = rewrite(roots, (node, map) => {
    if (!isOp(node, 'batchNorm') || !node.attrs.training) return undefined;
    const [x, scale, shift, mean, variance] = node.inputs.map(map) as [Value, Value, Value, Value, Value];
    const { y, batch } = normalise({ x, scale, shift }, node.attrs, workers);
    norms.push({ momentum: node.attrs.momentum, running: [mean, variance], batch });
    return node.outputs.map((_, i) => [y, ...batch][i] ?? y); // nothing reads what is saved for the gradient
  });
  return { roots: synced, norms };
}

const AXES = [0, 1, 2]; // of [N,H,W,C]: all but the channels

function normalise(
  { x, scale, shift }: Readonly<Record<'x' | 'scale' | 'shift', Value>>,
  { epsilon }: Ops['batchNorm'],
  workers: number,
): { readonly y: Value; readonly batch: readonly [Value, Value] } {
  const own = sizeOf(x.shape.slice(0, 3));
  const all = own * workers;
  const meanOver = (values: Value): Value => b.workersMean([b.mul(b.sum(values, AXES), 1 / own)])[0]!;
  const mean = meanOver(x);
  const centred = b.sub(x, mean);
  const variance = meanOver(b.square(centred)); // around the mean of all workers, so that no digits cancel
  const y = b.add(b.mul(centred, b.mul(b.rsqrt(b.add(variance, epsilon)), scale)), shift);
  return { y, batch: [mean, b.mul(variance, all / Math.max(all - 1, 1))] };
}
