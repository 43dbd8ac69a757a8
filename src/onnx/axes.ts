import { isOp } from '../graph/builder.js';
import { isIdentity, isReshape, permute } from '../graph/permutation.js';
import { sameShape } from '../graph/shapes.js';
import type { Node, Op, Shape, Value } from '../graph/spec.js';
import { IMAGE_RANK, permutationTo } from './layout.js';
import type { Emission, Place, Rule } from './emission.js';

/** Ops that rearrange or reduce axes. */

const last = (name: string): Place => ({ name, order: 'last' });
const first = (name: string): Place => ({ name, order: 'first' });

/** Whether a reshape only splits or merges the channels of images: then it can be written in either order. */
const keepsPixels = (s: Shape, t: Shape): boolean =>
  s.length >= IMAGE_RANK && t.length >= IMAGE_RANK && sameShape(s.slice(0, 3), t.slice(0, 3));

const reshape: Rule<'reshape'> = (node, at) => {
  const [x] = node.inputs as [Value];
  const [y] = node.outputs as [Value];
  const ordered = (value: Value): number[] => permute(value.shape, permutationTo('first', value.shape.length));
  const shuffled = unshuffled(node, at);
  if (shuffled) return [first(shuffled)];
  const given = at.place(x);
  if (keepsPixels(x.shape, y.shape) && (given.order === 'first' || at.wantsFirst(y)))
    return [first(at.add('Reshape', [at.first(x), at.ints(ordered(y))]))];
  const movesNothing = isReshape(x.shape, permutationTo(given.order, x.shape.length));
  const source = movesNothing ? given.name : at.last(x);
  const toFirst = at.wantsFirst(y) && isReshape(y.shape, permutationTo('first', y.shape.length));
  const shape = at.ints(toFirst ? ordered(y) : y.shape);
  return [{ name: at.add('Reshape', [source, shape]), order: toFirst ? 'first' : 'last' }];
};

/** The shuffle of a group's channels, which the graph writes as [N,H,W,C] → [NHW,G,C/G] → [NHW,C/G,G] → [N,H,W,C], with the
 *  channels first. Undefined for other reshapes. */
function unshuffled({ inputs, outputs }: Node<'reshape'>, at: Emission): string | undefined {
  const [dealt] = inputs as [Value];
  const { shape } = outputs[0]!;
  if (!isOp(dealt.node, 'transpose') || dealt.node.attrs.permutation.join() !== '0,2,1') return undefined;
  const [grouped] = dealt.node.inputs as [Value];
  if (!isOp(grouped.node, 'reshape') || !at.hasOneReader(dealt) || !at.hasOneReader(grouped)) return undefined;
  const [x] = grouped.node.inputs as [Value];
  const [n, h, w, channels] = shape as [number, number, number, number];
  const [, groups, size] = grouped.shape as [number, number, number];
  if (shape.length !== IMAGE_RANK || !sameShape(x.shape, shape) || groups * size !== channels) return undefined;
  const split = at.add('Reshape', [at.first(x), at.ints([n, groups, size, h, w])]);
  const swapped = at.add('Transpose', [split], { perm: { ints: [0, 2, 1, 3, 4] } });
  return at.add('Reshape', [swapped, at.ints([n, channels, h, w])]);
}

const transpose: Rule<'transpose'> = ({ attrs: { permutation }, inputs, outputs }, at) => {
  const [x] = inputs as [Value];
  const [y] = outputs as [Value];
  const given = at.place(x);
  const keeps = given.order === 'first' && isIdentity(permutation.slice(0, 3));
  const order = at.wantsFirst(y) || keeps ? 'first' : 'last';
  const rank = permutation.length;
  const now = permutationTo(given.order, rank);
  const change = permutationTo(order, rank).map((axis) => now.indexOf(permutation[axis]!));
  if (isIdentity(change)) return [{ name: given.name, order }];
  if (!isReshape(permute(x.shape, now), change))
    return [{ name: at.add('Transpose', [given.name], { perm: { ints: change } }), order }];
  const shape = at.ints(permute(y.shape, permutationTo(order, rank)));
  return [{ name: at.add('Reshape', [given.name, shape]), order }];
};

const concat: Rule<'concat'> = (node, at) => {
  const order = at.orderFor(node);
  const axis = permutationTo(order, node.outputs[0]!.shape.length).indexOf(node.attrs.axis);
  const parts = node.inputs.map((value) => at.in(order, value));
  return [{ name: at.add('Concat', parts, { axis: { int: axis } }), order }];
};

const slice: Rule<'slice'> = (node, at) => {
  const { begin, size } = node.attrs;
  const [x] = node.inputs as [Value];
  const order = at.orderFor(node);
  const axes = permutationTo(order, begin.length);
  const cut = axes.map((axis, i) => ({ axis, i })).filter(({ axis }) => size[axis] !== x.shape[axis]);
  if (cut.length === 0) return [{ name: at.in(order, x), order }];
  const starts = at.ints(cut.map(({ axis }) => begin[axis]!));
  const ends = at.ints(cut.map(({ axis }) => begin[axis]! + size[axis]!));
  return [{ name: at.add('Slice', [at.in(order, x), starts, ends, at.ints(cut.map(({ i }) => i))]), order }];
};

const pad: Rule<'pad'> = (node, at) => {
  const order = at.orderFor(node);
  const paddings = permute(node.attrs.paddings, permutationTo(order, node.attrs.paddings.length));
  const amounts = at.ints([...paddings.map(([before]) => before), ...paddings.map(([, after]) => after)]);
  return [{ name: at.add('Pad', [at.in(order, node.inputs[0]!), amounts]), order }];
};

const broadcastTo: Rule<'broadcastTo'> = (node, at) => {
  const { shape } = node.attrs;
  const order = at.orderFor(node);
  const goal = at.ints(permute(shape, permutationTo(order, shape.length)));
  return [{ name: at.add('Expand', [at.aligned(node.inputs[0]!, shape.length, order), goal]), order }];
};

/** Reduces in the order that the input has, where the axes that remain then are in one of the two orders. */
const reduction =
  (op: 'ReduceSum' | 'ReduceMax') =>
  (node: Node<'sum'> | Node<'max'>, at: Emission): Place[] => {
    const [x] = node.inputs as [Value];
    const { axes, keepDims } = node.attrs;
    const rank = x.shape.length;
    const write = (name: string, places: readonly number[]): string => {
      const keepdims = { int: keepDims ? 1 : 0 };
      // Operator set 17 has the axes of one as an input, and of the other as an attribute.
      if (op === 'ReduceSum') return at.add(op, [name, at.ints(places)], { keepdims });
      return at.add(op, [name], { axes: { ints: places }, keepdims });
    };
    const given = rank >= IMAGE_RANK ? at.place(x).order : 'last';
    if (given === 'first') {
      const order = permutationTo('first', rank);
      const result = orderOfRest(order, axes, keepDims);
      const places = axes.map((axis) => order.indexOf(axis));
      if (result) return [{ name: write(at.first(x), places), order: result }];
    }
    return [last(write(at.last(x), axes))];
  };

function orderOfRest(order: readonly number[], axes: readonly number[], keepDims: boolean): Place['order'] | undefined {
  if (keepDims) return 'first';
  const rest = order.filter((axis) => !axes.includes(axis));
  const sorted = [...rest].sort((a, b) => a - b);
  const permutation = rest.map((axis) => sorted.indexOf(axis));
  if (isIdentity(permutation)) return 'last';
  const isFirst = rest.length >= IMAGE_RANK && sameShape(permutation, permutationTo('first', rest.length));
  return isFirst ? 'first' : undefined;
}

export const onnxAxes = {
  reshape,
  transpose,
  concat,
  slice,
  pad,
  broadcastTo,
  sum: reduction('ReduceSum'),
  max: reduction('ReduceMax'),
} satisfies { [K in Op]?: Rule<K> };
