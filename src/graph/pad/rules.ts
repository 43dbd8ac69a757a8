import * as b from '../builder.js';
import { isOp } from '../builder.js';
import {
  unpadded,
  concatRuns,
  fullLength,
  isUnpadded,
  padded,
  realLength,
  roundUp,
  sameRuns,
  sliceRuns,
  type Runs,
} from './runs.js';
import { converted, isPlain, zeroed, type Padded, type Rewriting } from './layout.js';
import { padsWell } from './policy.js';
import type { ActivationGrad, Binary, Comparison, Node, Op, Ops, Unary, Value } from '../spec.js';

/** Computes the outputs of a node from padded inputs. Returns undefined to fall back to unpadded inputs. */
export type PadRule<K extends Op> = (node: Node<K>, at: Rewriting) => readonly Padded[] | undefined;

const addTo = <K extends Op>(at: Rewriting, op: K, inputs: readonly Padded[], attrs: Ops[K]): readonly Value[] =>
  b.addNode(at.graph, op, inputs.map(({ value }) => value), attrs); // prettier-ignore
const zeroIf = (condition: boolean): 0 | undefined => (condition ? 0 : undefined);
const lastOf = ({ runs }: Padded): Runs => runs.at(-1)!;
const withLast = ({ runs }: Padded, last: Runs): Runs[] => [...runs.slice(0, -1), last];
/** Converts the last axis of a value to the given layout. */
const lastAs = (from: Padded, last: Runs): Padded => converted(from, withLast(from, last));
/** The layout of [N,H,W,C] with these channels. */
const images = (value: Value, channels: Runs): Runs[] => [...value.shape.slice(0, 3).map(unpadded), channels];

/** Makes the rule of an elementwise op: all inputs are converted to the layout of the first, which the output has, too. */
const pointwise =
  (combine: (padValues: readonly (number | undefined)[]) => number | undefined): PadRule<Op> =>
  (node, at) => {
    const first = at.get(node.inputs[0]!);
    const inputs = node.inputs.map((value) => at.as(value, first.runs));
    const known = combine(inputs.map((input) => input.padValue));
    if (known !== undefined && !Number.isFinite(known)) return undefined;
    return [{ value: addTo(at, node.op, inputs, node.attrs)[0]!, runs: first.runs, padValue: known }];
  };
/** The rule of a gradient dy → dx: where dy is 0, dx is 0. */
const backward = pointwise(([dy]) => zeroIf(dy === 0));

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
const clip6 = (x: number): number => Math.min(Math.max(x, 0), 6);
const unary: Record<Unary, (x: number) => number> = {
  neg: (x) => -x, abs: Math.abs, sign: Math.sign, square: (x) => x * x, sqrt: Math.sqrt, rsqrt: (x) => 1 / Math.sqrt(x), exp: Math.exp, log: Math.log,
  sigmoid, softplus: (x) => Math.log1p(Math.exp(x)), relu: (x) => Math.max(x, 0), relu6: clip6, swish: (x) => x * sigmoid(x), hardSwish: (x) => (x * clip6(x + 3)) / 6,
}; // prettier-ignore
/** Ops whose result is not finite for some finite inputs. */
const risky: readonly Op[] = ['sqrt', 'rsqrt', 'exp', 'log'];

const unaries = Object.fromEntries(
  Object.entries(unary).map(([op, f]): [string, PadRule<Op>] => [
    op,
    (node, at) => {
      const { padValue } = at.get(node.inputs[0]!);
      if (padValue === undefined && risky.includes(node.op) && !isPlain(at.get(node.inputs[0]!))) return undefined;
      return pointwise(([x]) => (x === undefined ? undefined : f(x)))(node, at);
    },
  ]),
) as Record<Unary, PadRule<Op>>;

const binary: Record<Binary | Comparison, (x: number, y: number) => number> = {
  add: (x, y) => x + y, sub: (x, y) => x - y, mul: (x, y) => x * y, div: (x, y) => x / y, maximum: Math.max, minimum: Math.min,
  greater: (x, y) => Number(x > y), greaterEqual: (x, y) => Number(x >= y), equal: (x, y) => Number(x === y),
}; // prettier-ignore

/** The value of a scalar constant, which meets the other operand's padding when it is broadcast. */
const constantOf = ({ value }: Padded): number | undefined =>
  isOp(value.node, 'constant') && value.node.attrs.values.length === 1 ? value.node.attrs.values[0] : undefined;

/** Converts both operands to a common layout: on each axis that of the one that is padded. */
function aligned(node: Node, at: Rewriting): { readonly operands: readonly Padded[]; readonly runs: readonly Runs[] } {
  const operands = node.inputs.map((value) => at.get(value));
  const { shape } = node.outputs[0]!;
  const runs = shape.map((n, axis) => {
    const own = operands.map((operand) => operand.runs[axis - shape.length + operand.runs.length] ?? unpadded(1));
    return own.find((candidate) => !isUnpadded(candidate)) ?? unpadded(n);
  });
  const inLayout = operands.map((operand) => {
    const offset = shape.length - operand.runs.length;
    const wanted = operand.runs.map((own, i) => (realLength(own) === 1 && isUnpadded(own) ? own : runs[i + offset]!));
    return converted(operand, wanted);
  });
  return { operands: inLayout, runs };
}

const binaryRule =
  (op: Binary | Comparison): PadRule<Op> =>
  (node, at) => {
    const { operands, runs } = aligned(node, at);
    if (runs.every(isUnpadded)) return undefined;
    const [x, y] = operands.map((operand) => (isPlain(operand) ? constantOf(operand) : operand.padValue));
    // The padding of a denominator may be 0. A denominator that is broadcast consists of real channels only.
    if (op === 'div' && !isPlain(operands[1]!) && !y) return undefined;
    const value = addTo(at, node.op, operands, node.attrs)[0]!;
    const known = x !== undefined && y !== undefined ? binary[op](x, y) : undefined;
    const nothing = (op === 'mul' && (x === 0 || y === 0)) || (op === 'div' && x === 0);
    return [{ value, runs, padValue: nothing ? 0 : known }];
  };
const binaries = Object.fromEntries(
  Object.keys(binary).map((op) => [op, binaryRule(op as Binary | Comparison)]),
) as Record<Binary | Comparison, PadRule<Op>>;

/** Prepares two factors of a contraction: the padding of at least one must be zero. */
const contracted = (x: Padded, filter: Padded): readonly [Padded, Padded] =>
  filter.padValue === 0 || x.padValue === 0 || isPlain(filter) ? [x, filter] : [x, zeroed(filter)];

/** Converts the channels of x to the layout of the filter; a filter without a layout gets that of x. */
function meet(
  x: Padded,
  filter: Value,
  at: Rewriting,
  axis: number,
  runs: (x: Runs) => readonly Runs[],
): readonly [Padded, Padded] {
  const weights = at.isUndecided(filter) ? at.as(filter, runs(lastOf(x))) : at.get(filter);
  return contracted(lastAs(x, weights.runs[axis]!), weights);
}

/** The rule of windows that do not combine channels. */
const pooled: PadRule<Op> = (node, at) => {
  const x = at.get(node.inputs[0]!);
  const value = addTo(at, node.op, [x], node.attrs)[0]!;
  return [{ value, runs: images(value, lastOf(x)), padValue: x.padValue }];
};
/** The rule of their gradients, which have the input's shape. */
const pooledGrad: PadRule<'averagePoolGrad' | 'resizeGrad'> = (node, at) => {
  const dy = at.get(node.inputs[0]!);
  const inputShape = [...node.attrs.inputShape.slice(0, 3), fullLength(lastOf(dy))];
  const value = addTo(at, node.op, [dy], { ...node.attrs, inputShape })[0]!;
  return [{ value, runs: images(value, lastOf(dy)), padValue: zeroIf(dy.padValue === 0) }];
};

const same = pointwise(([x]) => x);
const activationGrads = { reluGrad: backward, relu6Grad: backward, sigmoidGrad: backward, swishGrad: backward, hardSwishGrad: backward } satisfies Record<ActivationGrad, PadRule<Op>>; // prettier-ignore

/** Rules of the ops that can work on padded channels. The others work on unpadded values, which costs only time. */
const rules = {
  ...unaries,
  ...binaries,
  ...activationGrads,
  cast: same, stopGradient: same,
  conv: (node, at) => {
    if ((node.attrs.groups ?? 1) > 1) return undefined;
    const [image, filter] = node.inputs as [Value, Value];
    const [kh, kw, , outputs] = filter.shape.map(unpadded) as [Runs, Runs, Runs, Runs];
    const channels = padsWell(node, at) ? padded(realLength(outputs), at.block) : outputs;
    const [x, weights] = meet(at.get(image), filter, at, 2, (inputs) => [kh, kw, inputs, channels]);
    const value = addTo(at, 'conv', [x, weights], node.attrs)[0]!;
    return [{ value, runs: images(value, lastOf(weights)), padValue: zeroIf(weights.padValue === 0) }];
  },
  convInputGrad: (node, at) => {
    if ((node.attrs.groups ?? 1) > 1) return undefined;
    const filter = at.get(node.inputs[0]!);
    const [dy, weights] = contracted(lastAs(at.get(node.inputs[1]!), lastOf(filter)), filter);
    const inputShape = [...node.attrs.inputShape.slice(0, 3), fullLength(weights.runs[2]!)];
    const value = addTo(at, 'convInputGrad', [weights, dy], { ...node.attrs, inputShape })[0]!;
    return [{ value, runs: images(value, weights.runs[2]!), padValue: zeroIf(weights.padValue === 0) }];
  },
  convFilterGrad: (node, at) => {
    if ((node.attrs.groups ?? 1) > 1) return undefined;
    const [x, dy] = node.inputs.map((value) => at.get(value)) as [Padded, Padded];
    const runs = [...node.attrs.filterShape.slice(0, 2).map(unpadded), lastOf(x), lastOf(dy)];
    const value = addTo(at, 'convFilterGrad', [x, dy], { ...node.attrs, filterShape: runs.map(fullLength) })[0]!;
    return [{ value, runs, padValue: zeroIf([x, dy].every((factor) => isPlain(factor) || factor.padValue === 0)) }];
  },
  depthwise: (node, at) => {
    const [image, filter] = node.inputs as [Value, Value];
    const [kh, kw] = filter.shape.map(unpadded) as [Runs, Runs];
    const [x, weights] = meet(at.get(image), filter, at, 2, (channels) => [kh, kw, channels, unpadded(1)]);
    const value = addTo(at, 'depthwise', [x, weights], node.attrs)[0]!;
    return [{ value, runs: images(value, lastOf(x)), padValue: zeroIf(x.padValue === 0 || weights.padValue === 0) }];
  },
  depthwiseInputGrad: (node, at) => {
    const filter = at.get(node.inputs[0]!);
    const channels = filter.runs[2]!;
    const dy = lastAs(at.get(node.inputs[1]!), channels);
    const inputShape = [...node.attrs.inputShape.slice(0, 3), fullLength(channels)];
    const value = addTo(at, 'depthwiseInputGrad', [filter, dy], { ...node.attrs, inputShape })[0]!;
    return [{ value, runs: images(value, channels), padValue: zeroIf(dy.padValue === 0 || filter.padValue === 0) }];
  },
  depthwiseFilterGrad: (node, at) => {
    const x = at.get(node.inputs[0]!);
    const dy = lastAs(at.get(node.inputs[1]!), lastOf(x));
    const runs = [...node.attrs.filterShape.slice(0, 2).map(unpadded), lastOf(x), unpadded(1)];
    const value = addTo(at, 'depthwiseFilterGrad', [x, dy], { ...node.attrs, filterShape: runs.map(fullLength) })[0]!;
    return [{ value, runs, padValue: zeroIf(x.padValue === 0 || dy.padValue === 0) }];
  },
  matMul: (node, at) => {
    const { transposeA, transposeB } = node.attrs;
    const [left, right] = node.inputs as [Value, Value];
    const [k, inner] = [transposeA ? 0 : 1, transposeB ? 1 : 0]; // the axes of the sum
    const place = (axis: number, own: Runs, other: Runs): Runs[] => (axis === 0 ? [own, other] : [other, own]);
    const first = at.get(left);
    const second = at.as(right, at.isUndecided(right) ? place(inner, first.runs[k]!, unpadded(right.shape[1 - inner]!)) : at.get(right).runs);
    const x = converted(first, place(k, second.runs[inner]!, first.runs[1 - k]!));
    const [a, c] = contracted(x, second);
    const runs = [a.runs[1 - k]!, c.runs[1 - inner]!];
    const padValue = zeroIf((isUnpadded(runs[0]!) || a.padValue === 0) && (isUnpadded(runs[1]!) || c.padValue === 0));
    return [{ value: addTo(at, 'matMul', [a, c], node.attrs)[0]!, runs, padValue }];
  },
  biasAdd: (node, at) => {
    const x = at.get(node.inputs[0]!);
    const bias = at.as(node.inputs[1]!, [lastOf(x)]);
    const padValue = x.padValue === undefined || bias.padValue === undefined ? undefined : x.padValue + bias.padValue;
    return [{ value: addTo(at, 'biasAdd', [x, bias], node.attrs)[0]!, runs: x.runs, padValue }];
  },
  batchNorm: (node, at) => {
    const x = at.get(node.inputs[0]!);
    const vectors = node.inputs.slice(1).map((value) => at.as(value, [lastOf(x)]));
    const [scale, shift, mean, variance] = vectors as [Padded, Padded, Padded, Padded];
    const [y, ...statistics] = addTo(at, 'batchNorm', [x, ...vectors], node.attrs);
    const padValues = node.attrs.training ? [x.padValue, x.padValue === undefined ? undefined : 0] : [mean.padValue, variance.padValue];
    return [
      { value: y!, runs: x.runs, padValue: scale.padValue === 0 ? shift.padValue : undefined },
      ...statistics.map((value, i) => ({ value, runs: [lastOf(x)], padValue: padValues[i] })),
    ];
  },
  // A scale of zero passes no gradient: the padding of dx is zero even where that of dy is not.
  batchNormGrad: (node, at) => {
    const x = at.get(node.inputs[1]!);
    const dy = converted(at.get(node.inputs[0]!), x.runs);
    const vectors = node.inputs.slice(2).map((value) => at.as(value, [lastOf(x)]));
    const [dx, ...dvectors] = addTo(at, 'batchNormGrad', [dy, x, ...vectors], node.attrs);
    return [
      { value: dx!, runs: x.runs, padValue: zeroIf(vectors[0]!.padValue === 0) },
      ...dvectors.map((value) => ({ value, runs: [lastOf(x)], padValue: zeroIf(dy.padValue === 0) })),
    ];
  },
  globalAveragePool: pooled, averagePool: pooled, maxPool: pooled, resize: pooled,
  averagePoolGrad: pooledGrad, resizeGrad: pooledGrad,
  maxPoolGrad: (node, at) => {
    const x = at.get(node.inputs[1]!);
    const [dy, y] = [lastAs(at.get(node.inputs[0]!), lastOf(x)), lastAs(at.get(node.inputs[2]!), lastOf(x))];
    return [{ value: addTo(at, 'maxPoolGrad', [dy, x, y], node.attrs)[0]!, runs: x.runs, padValue: zeroIf(dy.padValue === 0) }];
  },
  reshape: (node, at) => {
    const x = at.get(node.inputs[0]!);
    const { shape } = node.attrs;
    const kept = node.inputs[0]!.shape.at(-1) === shape.at(-1) && x.runs.slice(0, -1).every(isUnpadded);
    if (!kept || isPlain(x)) return undefined;
    const runs = [...shape.slice(0, -1).map(unpadded), lastOf(x)];
    return [{ value: addTo(at, 'reshape', [x], { shape: runs.map(fullLength) })[0]!, runs, padValue: x.padValue }];
  },
  transpose: (node, at) => {
    const x = at.get(node.inputs[0]!);
    const runs = node.attrs.permutation.map((axis) => x.runs[axis]!);
    return [{ value: addTo(at, 'transpose', [x], node.attrs)[0]!, runs, padValue: x.padValue }];
  },
  broadcastTo: (node, at) => {
    const x = at.get(node.inputs[0]!);
    const { shape } = node.attrs;
    const runs = shape.map((n, axis) => {
      const own = x.runs[axis - shape.length + x.runs.length];
      return own && realLength(own) === n ? own : unpadded(n);
    });
    return [{ value: addTo(at, 'broadcastTo', [x], { shape: runs.map(fullLength) })[0]!, runs, padValue: x.padValue }];
  },
  concat: (node, at) => {
    const { axis } = node.attrs;
    const parts = node.inputs.map((value) => at.get(value));
    const model = parts.find((part) => !isPlain(part));
    if (!model) return undefined;
    const inLayout = parts.map((part) => converted(part, model.runs.map((runs, i) => (i === axis ? part.runs[i]! : runs)))); // prettier-ignore
    const runs = model.runs.map((own, i) => (i === axis ? concatRuns(inLayout.map((part) => part.runs[i]!)) : own));
    const padValues = inLayout.filter((part) => !isPlain(part)).map(({ padValue }) => padValue);
    const padValue = padValues.every((value) => value === padValues[0]) ? padValues[0] : undefined;
    return [{ value: addTo(at, 'concat', inLayout, node.attrs)[0]!, runs, padValue }];
  },
  slice: (node, at) => {
    const x = at.get(node.inputs[0]!);
    const { begin, size } = node.attrs;
    const cuts = size.map((n, axis) => {
      const own = x.runs[axis]!;
      if (n === realLength(own)) return { begin: 0, runs: own, full: true };
      return { ...sliceRuns(own, begin[axis]!, n), full: false };
    });
    // The first channels of many are extended to a whole block: their padding then holds the channels that follow.
    const extended = cuts.map((cut, axis) => {
      const own = x.runs[axis]!;
      const room = roundUp(size[axis]!, at.block);
      const fits = !cut.full && !isUnpadded(own) && cut.begin === 0 && own.length === 2 && isUnpadded(cut.runs) && room <= fullLength(own); // prettier-ignore
      return fits ? [size[axis]!, room - size[axis]!] : cut.runs;
    });
    const foreign = extended.some((runs, i) => !sameRuns(runs, cuts[i]!.runs));
    const attrs = { begin: cuts.map((cut) => cut.begin), size: extended.map(fullLength) };
    return [{ value: addTo(at, 'slice', [x], attrs)[0]!, runs: extended, padValue: foreign ? undefined : x.padValue }];
  },
  // Zeros appended to the channels of an image replace its padding first.
  pad: (node, at) => {
    const { paddings } = node.attrs;
    const [before, behind] = paddings.at(-1)!;
    const x = at.get(node.inputs[0]!);
    const own = lastOf(x);
    if (x.runs.length !== 4 || behind === 0 || before > 0 || own.length !== 2) return undefined;
    if (paddings.slice(0, -1).some(([a, c]) => a + c > 0)) return undefined;
    const clean = zeroed(x);
    const runs = withLast(x, padded(own[0]! + behind, at.block));
    const more = fullLength(runs.at(-1)!) - fullLength(own);
    if (more === 0) return [{ value: clean.value, runs, padValue: 0 }];
    const value = addTo(at, 'pad', [clean], { paddings: runs.map((_, i) => [0, i === 3 ? more : 0] as const) })[0]!;
    return [{ value, runs, padValue: 0 }];
  },
  sum: (node, at) => {
    const { axes, keepDims } = node.attrs;
    const x = at.get(node.inputs[0]!);
    const summed = axes.some((axis) => !isUnpadded(x.runs[axis]!)) ? zeroed(x) : x;
    const runs = x.runs.flatMap((own, axis) => (axes.includes(axis) ? (keepDims ? [unpadded(1)] : []) : [own]));
    return [{ value: addTo(at, 'sum', [summed], node.attrs)[0]!, runs, padValue: zeroIf(summed.padValue === 0) }];
  },
  // All workers pad alike, so the mean of padding is padding. What is added to the sums of another program has no padding.
  workersMean: (node, at) => {
    if (node.attrs.adds !== null) return undefined;
    const inputs = node.inputs.map((value) => at.get(value));
    const means = addTo(at, 'workersMean', inputs, node.attrs);
    return means.map((value, i) => ({ value, runs: inputs[i]!.runs, padValue: zeroIf(inputs[i]!.padValue === 0) }));
  },
  assign: (node, at) => {
    const { name } = node.attrs;
    const value = zeroed(at.as(node.inputs[0]!, at.layout(name, node.inputs[0]!.shape)));
    return [{ value: addTo(at, 'assign', [value], node.attrs)[0]!, runs: value.runs, padValue: 0 }];
  },
} satisfies { [K in Op]?: PadRule<K> }; // prettier-ignore

/** The rule of an op; undefined where it works on unpadded values. */
export const padRule = (op: Op): PadRule<Op> | undefined => rules[op as keyof typeof rules] as PadRule<Op> | undefined;
