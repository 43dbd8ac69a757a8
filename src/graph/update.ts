import * as b from './builder.js';
import { isOp } from './builder.js';
import { gradients } from './grad.js';
import { adamW } from './optimizers/adamw.js';
import { lamb } from './optimizers/lamb.js';
import { slotsOf, type Optimizer } from './optimizers/optimizer.js';
import { rmsProp } from './optimizers/rmsprop.js';
import { sgd } from './optimizers/sgd.js';
import { sizeOf } from './shapes.js';
import { paramAttrs, slotName } from './slots.js';
import type { Graph, Value } from './spec.js';

/** Options of all optimizers, under the recipe's names. Each optimizer reads the ones that it knows. */
export interface OptimizerOptions {
  readonly name: 'sgd' | 'adamw' | 'rmsprop' | 'lamb';
  readonly momentum: number;
  readonly nesterov: boolean;
  readonly betas: readonly [number, number];
  readonly smoothing: number;
  readonly epsilon: number;
}

const optimizers: Record<OptimizerOptions['name'], (options: OptimizerOptions) => Optimizer> = {
  sgd,
  adamw: adamW,
  rmsprop: rmsProp,
  lamb,
};

/** How one parameter is trained. */
export interface Group {
  /** Factor on the learning rate. */
  readonly lr: number;
  readonly weightDecay: number;
}

export interface UpdateOptions {
  readonly optimizer: OptimizerOptions;
  /** Scalar: the learning rate, fed at every step. */
  readonly lr: Value;
  readonly groupOf: (name: string) => Group;
  /** Largest Euclidean norm of all gradients together; longer ones are scaled down to it. null: no limit. */
  readonly clipNorm: number | null;
  /** Largest absolute value of an element of a gradient, applied before the norm is limited. null: no limit. */
  readonly clipValue: number | null;
  /** Batches whose mean gradient makes one step. */
  readonly accumulate: number;
  /** Replaces values by their means over all workers. Left out by a worker that trains alone. */
  readonly overWorkers?: OverWorkers | undefined;
}

/** With `adds`, each worker adds the sums that it keeps under this name first (`addToSums`). */
export type OverWorkers = (values: readonly Value[], adds?: string) => readonly Value[];
const ofOne: OverWorkers = (values) => values;

export interface Updates {
  /** The updates of a step. */
  readonly step: readonly Value[];
  /** Replaces `step` for all but the last of `accumulate` batches: sums their gradients. Each of several workers keeps its
   *  own sums, and their means are taken in `step`. */
  readonly gather: readonly Value[];
  /** Euclidean norm of all gradients, before clipping. */
  readonly gradientNorm: Value;
  /** That of the gradients of this batch, or of this worker's part of it. */
  readonly batchNorm: Value;
  /** The new value of each parameter, by name. */
  readonly next: ReadonlyMap<string, Value>;
}

const GATHERED = 'gathered';

/** Adds the gradients of a loss and the optimizer's updates to its graph. */
export function updates(loss: Value, params: readonly Value[], options: UpdateOptions): Updates {
  const { optimizer, lr, groupOf, clipNorm, clipValue, accumulate, overWorkers } = options;
  const { graph } = loss.node;
  const ofBatch = gradients(loss, params);
  const slots = params.map((w) => slotsOf(w, paramAttrs(w)));
  const gathering = overWorkers
    ? gatherApart(ofBatch, accumulate, overWorkers)
    : gatherInSlots(ofBatch, accumulate, slots, params);
  const means = accumulate > 1 ? gathering.sums.map((sum) => b.mul(sum, 1 / accumulate)) : gathering.sums;
  const gradientNorm = normOf(graph, means);
  const cut = clipValue === null ? means : means.map((g) => b.maximum(b.minimum(g, clipValue), -clipValue));
  const length = clipValue === null ? gradientNorm : normOf(graph, cut);
  const shrink = clipNorm === null ? undefined : b.minimum(b.div(b.scalar(graph, clipNorm), b.add(length, 1e-6)), 1);
  const rates = new Map<number, Value>();
  const rateOf = (scale: number): Value => {
    const rate = rates.get(scale) ?? (scale === 1 ? lr : b.mul(lr, scale));
    rates.set(scale, rate);
    return rate;
  };
  const move = optimizers[optimizer.name](optimizer);
  const next = new Map<string, Value>();
  for (const [i, w] of params.entries()) {
    const { name } = paramAttrs(w);
    const group = groupOf(name);
    const g = shrink ? b.mul(cut[i]!, shrink) : cut[i]!;
    const own = slots[i]!;
    next.set(
      name,
      move({ w, g, lr: rateOf(group.lr), weightDecay: group.weightDecay, slot: own.slot, keep: own.keep }),
    );
  }
  const stored = [...next].map(([name, value]) => b.assign(name, value));
  return {
    step: [...stored, ...slots.flatMap((slot) => slot.updates)],
    gather: gathering.gather,
    gradientNorm,
    batchNorm: normOf(graph, ofBatch),
    next,
  };
}

/** Values that travel to the other workers together: 4 MiB, so that the gradients of the last layers are on their way while
 *  those of the first layers are computed. */
const BUCKET = 2 ** 20;

/** The sums of the gradients of a step's batches, over which the step is made, and the updates that keep them until then. */
interface Gathering {
  readonly sums: readonly Value[];
  readonly gather: readonly Value[];
}

/** Keeps the sums in slots of the optimizer, so that a run can be saved between two batches of a step. */
function gatherInSlots(
  ofBatch: readonly Value[],
  accumulate: number,
  slots: readonly ReturnType<typeof slotsOf>[],
  params: readonly Value[],
): Gathering {
  if (accumulate === 1) return { sums: ofBatch, gather: [] };
  const sums = ofBatch.map((g, i) => b.add(slots[i]!.slot(GATHERED), g));
  for (const [i, sum] of sums.entries()) slots[i]!.keep(GATHERED, b.mul(sum, 0));
  return { sums, gather: params.map((w, i) => b.assign(slotName(GATHERED, paramAttrs(w).name), sums[i]!)) };
}

/** Lets each worker keep the sums of its own gradients, which are exchanged once in a step. */
function gatherApart(ofBatch: readonly Value[], accumulate: number, overWorkers: OverWorkers): Gathering {
  const buckets = inBuckets(ofBatch);
  const name = (i: number): string => `${GATHERED}.${i}`;
  if (accumulate === 1) return { sums: buckets.flatMap((bucket) => overWorkers(bucket)).reverse(), gather: [] };
  return {
    sums: buckets.flatMap((bucket, i) => overWorkers(bucket, name(i))).reverse(),
    gather: buckets.map((bucket, i) => b.addToSums(name(i), bucket)),
  };
}

/** Gradients in buckets, those of the last parameters first: the backward pass computes them first. */
function inBuckets(values: readonly Value[]): readonly (readonly Value[])[] {
  const buckets: Value[][] = [];
  let room = 0;
  for (const value of [...values].reverse()) {
    const size = sizeOf(value.shape);
    if (buckets.length === 0 || size > room) {
      buckets.push([]);
      room = BUCKET;
    }
    buckets.at(-1)!.push(value);
    room -= size;
  }
  return buckets;
}

function normOf(graph: Graph, values: readonly Value[]): Value {
  const squares = values.map((value) => b.sum(b.square(value)));
  return b.sqrt(squares.reduce((total, square) => b.add(total, square), b.scalar(graph, 0)));
}

/** A BatchNorm in training mode. */
export interface Norm {
  readonly momentum: number;
  /** The parameters that hold the running mean and variance. */
  readonly running: readonly [Value, Value];
  /** Mean and unbiased variance of the batch. */
  readonly batch: readonly [Value, Value];
}

/** The BatchNorms in training mode of a graph. */
export const normsOf = (graph: Graph): Norm[] =>
  graph.nodes.flatMap((node) => {
    if (!isOp(node, 'batchNorm') || !node.attrs.training) return [];
    const [, , , mean, variance] = node.inputs as [Value, Value, Value, Value, Value];
    return [{ ...node.attrs, running: [mean, variance], batch: [node.outputs[1]!, node.outputs[2]!] }];
  });

/** Computes the new running statistics of BatchNorms in training mode, by name: running ← (1 − m)·running + m·batch.
 *  Several workers keep the means of their statistics. */
export function batchNormUpdates(norms: readonly Norm[], overWorkers: OverWorkers = ofOne): ReadonlyMap<string, Value> {
  const next = new Map<string, Value>();
  const batches = overWorkers(norms.flatMap(({ batch }) => batch));
  for (const [i, { momentum, running }] of norms.entries()) {
    // A BatchNorm that is applied several times takes its batches one after the other, as in PyTorch.
    for (const [j, statistic] of running.entries()) {
      const { name } = paramAttrs(statistic);
      const before = b.mul(next.get(name) ?? statistic, 1 - momentum);
      next.set(name, b.add(before, b.mul(batches[2 * i + j]!, momentum)));
    }
  }
  return next;
}

/** Stores each value in the parameter of its name. */
export const assignAll = (next: ReadonlyMap<string, Value>): Value[] =>
  [...next].map(([name, value]) => b.assign(name, value));
