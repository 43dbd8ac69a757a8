import type { Node, Op } from '../graph/spec.js';
import type { Emission, Rule } from './emission.js';

/** Ops that rearrange or reduce axes. */

const reduction =
  (op: 'SUM' | 'REDUCE_MAX') =>
  ({ attrs: { axes, keepDims }, inputs: [x], outputs: [y] }: Node<'sum'> | Node<'max'>, at: Emission): string[] => {
    if (axes.length === 0) return [at.in(x!)];
    return [at.add(op, [at.in(x!), at.ints(axes)], y!, { keepDims })];
  };

export const tfliteAxes = {
  reshape: ({ inputs: [x], outputs: [y] }, at) => [at.reshape(at.in(x!), y!)],
  transpose: ({ attrs, inputs: [x] }, at) => [at.permuted(x!, attrs.permutation)],
  concat: ({ attrs, inputs, outputs: [y] }, at) => {
    // LiteRT 2.5 returns zeros for a CONCATENATION of nothing but constants.
    const isKnown = inputs.every((value) => at.known(value) !== undefined);
    const zero = y!.dtype === 'float32' ? at.floats([0]) : at.ints([0], []);
    const parts = inputs.map((value, i) =>
      isKnown && i === 0 && y!.dtype !== 'bool' ? at.add('ADD', [at.in(value), zero], value) : at.in(value),
    );
    return [at.add('CONCATENATION', parts, y!, { axis: attrs.axis })];
  },
  slice: ({ attrs, inputs: [x], outputs: [y] }, at) => [
    at.add('SLICE', [at.in(x!), at.ints(attrs.begin), at.ints(attrs.size)], y!),
  ],
  pad: ({ attrs: { paddings }, inputs: [x], outputs: [y] }, at) => [
    at.add('PAD', [at.in(x!), at.ints(paddings.flat(), [paddings.length, 2])], y!),
  ],
  broadcastTo: ({ inputs: [x], outputs: [y] }, at) => [at.add('BROADCAST_TO', [at.in(x!), at.ints(y!.shape)], y!)],
  sum: reduction('SUM'),
  max: reduction('REDUCE_MAX'),
} satisfies { [K in Op]?: Rule<K> };
