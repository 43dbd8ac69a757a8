import type { Op, Value } from '../graph/spec.js';
import type { Emission, Rule } from './emission.js';

/** Ops of detectors: the best rows, rows of boxes, non-maximum suppression. */

const LOWEST = -3.4028234663852886e38; // of float32

/** TFLite's op takes the boxes of one image. Coordinates may be in either order of x and y: overlaps are the same. */
const nonMaxSuppression: Rule<'nonMaxSuppression'> = ({ attrs, inputs, outputs }, at) => {
  const [boxes, scores] = inputs as [Value, Value];
  const [n, p] = scores.shape as [number, number];
  const limits = [at.ints([attrs.limit], []), at.floats([attrs.threshold]), at.floats([LOWEST])];
  const own = (value: Value, i: number, shape: readonly number[]): string => {
    const type = { dtype: 'float32', shape: [1, ...shape] } as const;
    const zeros = shape.map(() => 0);
    const one =
      n === 1 ? at.in(value) : at.add('SLICE', [at.in(value), at.ints([i, ...zeros]), at.ints(type.shape)], type);
    return at.reshape(one, { dtype: 'float32', shape });
  };
  const each = Array.from({ length: n }, (_, i) => {
    const rows = { dtype: 'int32', shape: [attrs.limit] } as const;
    const [kept, count] = at.addMany(
      'NON_MAX_SUPPRESSION_V4',
      [own(boxes, i, [p, 4]), own(scores, i, [p]), ...limits],
      [rows, { dtype: 'int32', shape: [] }],
    ) as [string, string];
    const int32 = (shape: readonly number[]) => ({ dtype: 'int32', shape }) as const;
    return [at.reshape(kept, int32([1, attrs.limit])), at.reshape(count, int32([1]))] as const;
  });
  return outputs.map((value, i) => {
    const parts = each.map((own) => own[i]!);
    return parts.length === 1 ? parts[0]! : at.add('CONCATENATION', parts, value, { axis: 0 });
  });
};

/** The loss −ln softmax of the right class, and its gradient. */
const softmaxCrossEntropy: Rule<'softmaxCrossEntropy'> = ({ inputs, outputs: [loss, gradient] }, at) => {
  const [logits, classes] = inputs as [Value, Value];
  const x = at.in(logits);
  const right = oneHot(at, at.in(classes), logits.shape[1]!, gradient!);
  const logs = at.add('LOG_SOFTMAX', [x], gradient!);
  const chosen = at.add('SUM', [at.add('MUL', [logs, right], gradient!), at.ints([1])], loss!, { keepDims: false });
  const shares = at.add('SOFTMAX', [x], gradient!, { beta: 1 });
  return [at.add('NEG', [chosen], loss!), at.add('SUB', [shares, right], gradient!)];
};

const oneHot = (at: Emission, indices: string, depth: number, y: Value): string =>
  at.add('ONE_HOT', [indices, at.ints([depth], []), at.floats([1]), at.floats([0])], y, { axis: -1 });

export const tfliteBoxes = {
  nonMaxSuppression,
  softmaxCrossEntropy,
  gather: ({ inputs: [x, indices], outputs: [y] }, at) => [
    at.add('GATHER', [at.in(x!), at.in(indices!)], y!, { axis: 1, batchAxes: 1 }),
  ],
  topK: ({ attrs: { k }, inputs: [x], outputs }, at) => at.addMany('TOPK_V2', [at.in(x!), at.ints([k], [])], outputs),
  oneHot: ({ attrs: { depth }, inputs: [x], outputs: [y] }, at) => [oneHot(at, at.in(x!), depth, y!)],
} satisfies { [K in Op]?: Rule<K> };
