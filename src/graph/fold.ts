import { invariant } from '../errors.js';
import * as b from './builder.js';
import { isOp } from './builder.js';
import { rewrite } from './rewrite.js';
import type { Param, Params } from './params.js';
import type { Node, Ops, Value } from './spec.js';
import { paramAttrs } from './slots.js';

export interface Folded {
  /** The given values over a new graph in which foldable BatchNorms are a bias. */
  readonly roots: readonly Value[];
  /** Computes the values of the new parameters from those of the old ones. */
  readonly derive: (params: Params) => Params;
}

/** y = scale·(conv(x, w) − mean)/√(variance + ε) + shift is a convolution with w·s and a bias shift − mean·s, s =
 *  scale/√(variance + ε). */
function foldValues(filter: Param, [scale, shift, mean, variance]: readonly Param[], epsilon: number): [Param, Param] {
  const channels = scale!.data.length;
  const s = scale!.data.map((value, c) => value / Math.sqrt(variance!.data[c]! + epsilon));
  // The output channel is the last axis of HWIO; in HWC1 the index modulo C is the channel, too.
  const weight = filter.data.map((value, i) => value * s[i % channels]!);
  const bias = shift!.data.map((value, c) => value - mean!.data[c]! * s[c]!);
  return [
    { shape: filter.shape, data: weight },
    { shape: [channels], data: bias },
  ];
}

/** Folds every BatchNorm on running statistics into the convolution before it, where `mayFold` allows all its
 *  parameters by name. The function stays the same; it serves inference and frozen stages. The new parameters are
 *  called `<old>.folded` and `<BatchNorm's shift>.folded`. */
export function fold(roots: readonly Value[], mayFold: (name: string) => boolean = () => true): Folded {
  const recipes: ((params: Params) => [string, Param][])[] = [];
  const readers = new Map<Node, number>();
  for (const node of roots[0]!.node.graph.nodes) {
    for (const value of node.inputs) readers.set(value.node, (readers.get(value.node) ?? 0) + 1);
  }
  const folded = rewrite(roots, (node, map, graph) => {
    if (!isOp(node, 'batchNorm') || node.attrs.training) return undefined;
    const convolution = node.inputs[0]!.node;
    if (!isOp(convolution, 'conv') && !isOp(convolution, 'depthwise')) return undefined;
    const [x, filter] = convolution.inputs as [Value, Value];
    const sources = [filter, ...node.inputs.slice(1)];
    const isParam = (value: Value): boolean => isOp(value.node, 'param') && mayFold(paramAttrs(value).name);
    if (readers.get(convolution) !== 1 || !sources.every(isParam)) return undefined;
    const [w, scale, shift, mean, variance] = sources.map(paramAttrs) as [
      Ops['param'],
      Ops['param'],
      Ops['param'],
      Ops['param'],
      Ops['param'],
    ];
    const { epsilon } = node.attrs;
    const weightName = `${w.name}.folded`;
    const biasName = `${shift.name}.folded`;
    recipes.push((params) => {
      const value = (name: string): Param => {
        const found = params.get(name);
        invariant(found, `no value for ${name}`);
        return found;
      };
      const norms = [scale, shift, mean, variance].map(({ name }) => value(name));
      const [weight, bias] = foldValues(value(w.name), norms, epsilon);
      return [
        [weightName, weight],
        [biasName, bias],
      ];
    });
    const weight = b.param(graph, { ...w, name: weightName });
    const bias = b.param(graph, { ...shift, name: biasName, role: 'bias' });
    const window = convolution.attrs as Ops['conv'];
    const convolved = convolution.op === 'conv' ? b.conv(map(x), weight, window) : b.depthwise(map(x), weight, window);
    const y = b.biasAdd(convolved, bias);
    return node.outputs.map(() => y); // nothing reads the batch's statistics of a BatchNorm on running ones
  });
  return { roots: folded, derive: (params) => new Map(recipes.flatMap((recipe) => recipe(params))) };
}
