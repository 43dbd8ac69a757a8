import type { Op, Value } from '../graph/spec.js';
import type { Emission, Place, Rule } from './emission.js';
import { DATA_TYPE } from './model.js';

/** Ops of detectors: crops of feature maps, rows of boxes, the best rows, non-maximum suppression. */

const last = (name: string): Place => ({ name, order: 'last' });
export const castTo = (at: Emission, x: string, type: keyof typeof DATA_TYPE): string =>
  at.add('Cast', [x], { to: { int: DATA_TYPE[type] } });

/** The values where they are finite, elsewhere the replacement: kernels of boxes may fail on others. */
function finiteOr(at: Emission, x: string, replacement: number): string {
  const isFinite = at.add('Equal', [at.add('Sub', [x, x]), at.floats([0])]);
  return at.add('Where', [isFinite, x, at.floats([replacement])]);
}

/** 1 for each sample of each window that is inside the image along one axis, else 0. windows [R,4], of which `from` and
 *  `to` are the first and the last sample → [R,samples]. */
function inside(
  at: Emission,
  windows: string,
  [from, to]: readonly [number, number],
  samples: number,
  length: number,
): string {
  const share = (i: number): number => (samples > 1 ? i / (samples - 1) : 0.5);
  const weights = [0, 1, 2, 3].flatMap((row) =>
    Array.from({ length: samples }, (_, i) => (row === from ? 1 - share(i) : row === to ? share(i) : 0)),
  );
  const places = at.add('MatMul', [windows, at.floats(weights, [4, samples])]);
  const isInside = at.add('And', [
    at.add('GreaterOrEqual', [places, at.floats([0])]),
    at.add('LessOrEqual', [places, at.floats([length - 1])]),
  ]);
  return castTo(at, isInside, 'float32');
}

/** RoiAlign with one sample in each bin reads the same points when the window is widened by half a bin on each side. It
 *  continues the image beyond its edge, where the graph's op has zeros: a mask of the samples makes them. */
const cropAndResize: Rule<'cropAndResize'> = ({ attrs: { size }, inputs: [images, given, index] }, at) => {
  const [, height, width] = images!.shape as [number, number, number];
  const [rows, columns] = size;
  const count = given!.shape[0]!;
  const windows = finiteOr(at, at.last(given!), -10);
  const half = (samples: number): number => (samples > 1 ? 0.5 / (samples - 1) : 0);
  const [y, x] = [half(rows), half(columns)];
  // y1, x1, y2, x2 → x1, y1, x2, y2, widened; RoiAlign then subtracts half a pixel.
  const widen = [0, 1 + y, 0, -y, 1 + x, 0, -x, 0, 0, -y, 0, 1 + y, -x, 0, 1 + x, 0];
  const boxes = at.add('Add', [at.add('MatMul', [windows, at.floats(widen, [4, 4])]), at.floats([0.5])]);
  const sampled = at.add('RoiAlign', [at.first(images!), boxes, castTo(at, at.last(index!), 'int64')], {
    output_height: { int: rows },
    output_width: { int: columns },
    sampling_ratio: { int: 1 },
    coordinate_transformation_mode: { string: 'half_pixel' },
  });
  const down = at.add('Reshape', [inside(at, windows, [0, 2], rows, height), at.ints([count, 1, rows, 1])]);
  const across = at.add('Reshape', [inside(at, windows, [1, 3], columns, width), at.ints([count, 1, 1, columns])]);
  return [{ name: at.add('Mul', [sampled, at.add('Mul', [down, across])]), order: 'first' }];
};

/** ONNX's op returns as many rows as it keeps, so that each image is suppressed by itself and its rows are padded. */
const nonMaxSuppression: Rule<'nonMaxSuppression'> = ({ attrs, inputs }, at) => {
  const [boxes, scores] = inputs as [Value, Value];
  const [n, p] = scores.shape as [number, number];
  const finite = finiteOr(at, at.last(boxes), 0);
  const ranked = at.add('Reshape', [at.last(scores), at.ints([n, 1, p])]);
  const limits = [at.ints([attrs.limit]), at.floats([attrs.threshold], [1])];
  const each = Array.from({ length: n }, (_, i) => {
    const own = [finite, ranked].map((all) =>
      n === 1 ? all : at.add('Slice', [all, at.ints([i]), at.ints([i + 1]), at.ints([0])]),
    );
    const kept = at.add('NonMaxSuppression', [...own, ...limits]); // image, class and row of each, best first
    const rows = at.add('Reshape', [at.add('Slice', [kept, at.ints([2]), at.ints([3]), at.ints([1])]), at.ints([-1])]);
    const count = at.add('Shape', [rows]);
    const missing = at.add('Sub', [at.ints([attrs.limit]), count]);
    const padded = at.add('Pad', [rows, at.add('Concat', [at.ints([0]), missing], { axis: { int: 0 } })]);
    return { rows: at.add('Reshape', [padded, at.ints([1, attrs.limit])]), count };
  });
  const all = (names: readonly string[]): Place =>
    last(castTo(at, names.length === 1 ? names[0]! : at.add('Concat', names, { axis: { int: 0 } }), 'int32'));
  return [all(each.map(({ rows }) => rows)), all(each.map(({ count }) => count))];
};

export const onnxBoxes = {
  cropAndResize,
  nonMaxSuppression,
  gather: ({ inputs }, at) => {
    const [x, indices] = inputs as [Value, Value];
    const rows = at.add('Reshape', [castTo(at, at.last(indices), 'int64'), at.ints([...indices.shape, 1])]);
    return [last(at.add('GatherND', [at.last(x), rows], { batch_dims: { int: 1 } }))];
  },
  topK: ({ attrs: { k }, inputs: [x] }, at) => {
    const [values, rows] = at.addMany('TopK', [at.last(x!), at.ints([k])], {}, 2) as [string, string];
    return [last(values), last(castTo(at, rows, 'int32'))];
  },
  // ONNX's OneHot counts negative indices from the end.
  oneHot: ({ attrs: { depth }, inputs: [x] }, at) => {
    const column = at.add('Reshape', [castTo(at, at.last(x!), 'float32'), at.ints([...x!.shape, 1])]);
    const classes = at.floats(Array.from({ length: depth }, (_, i) => i), [depth]); // prettier-ignore
    return [last(castTo(at, at.add('Equal', [column, classes]), 'float32'))];
  },
} satisfies { [K in Op]?: Rule<K> };
