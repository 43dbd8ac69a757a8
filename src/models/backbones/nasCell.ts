import {
  activate,
  batchNorm,
  conv,
  depthwise,
  maxPool,
  normActivate,
  padding,
  type Context,
} from '../../graph/blocks.js';
import { add, averagePool, concat, constant, mul, pad, slice } from '../../graph/builder.js';
import type { Padding, Value } from '../../graph/spec.js';

/** Operations of the searched cells. `separable`: ReLU, depthwise, 1×1 and BatchNorm, all of them twice. `dilated3`:
 *  the same once, 3×3 with dilation 2. `factored7`: a 1×1 to a quarter of the channels, 1×7, 7×1, and a 1×1 back.
 *  `none`: the state itself. */
export type CellOp =
  'separable3' | 'separable5' | 'separable7' | 'dilated3' | 'factored7' | 'average3' | 'max3' | 'none';

/** An operation and the state that it reads. States 0 and 1 are the outputs of the previous cell and of the one before
 *  it; state k + 2 is the sum k. */
export type Branch = readonly [op: CellOp, state: number];

/** A searched cell: sums of two branches each, and the states that its output concatenates. */
export interface Cell {
  readonly sums: readonly (readonly [Branch, Branch])[];
  readonly output: readonly number[];
}

/** How a family names the parameters of a cell. */
export interface CellNames {
  /** The convolution of an input, whose size it may halve. */
  readonly input: (state: 0 | 1, halved: boolean) => string;
  /** The two convolutions that halve an input. */
  readonly halves: readonly [string, string];
  readonly branch: (sum: number, side: 0 | 1) => string;
}

const KERNELS = { separable3: 3, separable5: 5, separable7: 7 } as const;
const QUARTER = 4;

/** ReLU, 1×1 convolution, BatchNorm. */
export const pointwise = (x: Value, path: string, at: Context, channels: number, stride = 1): Value =>
  batchNorm(conv(activate(x, 'relu'), `${path}.conv`, at, { channels, stride }), `${path}.bn`, at);

/** ReLU, depthwise, 1×1, BatchNorm. */
function separable(
  x: Value,
  path: string,
  at: Context,
  channels: number,
  window: Parameters<typeof depthwise>[3],
): Value {
  const spatial = depthwise(activate(x, 'relu'), `${path}.conv.dw_conv`, at, window);
  return batchNorm(conv(spatial, `${path}.conv.pw_conv`, at, { channels }), `${path}.bn`, at);
}

/** Halves the size with two 1×1 convolutions of stride 2 that together read all pixels: one [::2, ::2], the other
 *  [1::2, 1::2]. */
export function halve(x: Value, path: string, at: Context, channels: number, halves: CellNames['halves']): Value {
  const [n, h, w, inputs] = x.shape as [number, number, number, number];
  const y = activate(x, 'relu');
  const first = Math.floor(channels / 2);
  const shifted = slice(y, [0, 1, 1, 0], [n, h - 1, w - 1, inputs]);
  const behind: Padding = [[0, h % 2], [0, w % 2]]; // prettier-ignore
  const even = conv(y, `${path}.${halves[0]}`, at, { channels: first, stride: 2 });
  const odd = conv(shifted, `${path}.${halves[1]}`, at, { channels: channels - first, stride: 2, padding: behind });
  return batchNorm(concat([even, odd], 3), `${path}.bn`, at);
}

/** Mean over the part of each 3×3 window that lies inside the image. */
function average3(x: Value, at: Context, stride: number): Value {
  const [rows, columns] = padding(x, [3, 3], stride, at);
  const y = averagePool(pad(x, [[0, 0], rows, columns, [0, 0]]), { kernel: [3, 3], stride });
  const [, height, width] = y.shape as [number, number, number];
  /** Number of rows or columns of window i that lie inside. */
  const inside = (i: number, length: number, before: number): number =>
    Math.min(i * stride - before + 3, length) - Math.max(i * stride - before, 0);
  const scale = Array.from({ length: height * width }, (_, place) => {
    const row = inside(Math.floor(place / width), x.shape[1]!, rows[0]);
    return 9 / (row * inside(place % width, x.shape[2]!, columns[0]));
  });
  return mul(y, constant(x.node.graph, scale, [1, height, width, 1]));
}

/** The 1×7 convolution has stride 1, but the padding that belongs to `stride`. The 7×1 convolution after it has the
 *  stride in both directions and keeps the columns that a 1×7 with the stride would give. */
function factored7(x: Value, path: string, at: Context, channels: number, stride: number): Value {
  const inner = Math.floor(channels / QUARTER);
  const narrow = activate(pointwise(x, `${path}.pre`, at, inner), 'relu');
  const around = padding(x, [1, 7], stride, at);
  const row = { channels: inner, kernel: [1, 7], padding: [[0, 0], around[1]] } as const;
  const rows = normActivate(conv(narrow, `${path}.conv_1x7`, at, row), `${path}.bn_1x7`, at, 'relu');
  const column = { channels: inner, kernel: [7, 1], stride } as const;
  const spatial = batchNorm(conv(rows, `${path}.conv_7x1`, at, column), `${path}.bn_7x1`, at);
  return pointwise(spatial, `${path}.post`, at, channels);
}

function apply(op: CellOp, x: Value, path: string, at: Context, channels: number, stride: number): Value {
  const fits = x.shape[3] === channels;
  switch (op) {
    case 'none':
      return fits && stride === 1 ? x : pointwise(x, path, at, channels, stride);
    case 'dilated3':
      return separable(x, path, at, channels, { kernel: 3, stride, dilation: 2 });
    case 'factored7':
      return factored7(x, path, at, channels, stride);
    case 'average3':
    case 'max3': {
      const y = op === 'max3' ? maxPool(x, at, { kernel: 3, stride }) : average3(x, at, stride);
      return fits ? y : batchNorm(conv(y, `${path}.conv`, at, { channels }), `${path}.bn`, at);
    }
    default: {
      const kernel = KERNELS[op];
      const first = separable(x, `${path}.conv1`, at, channels, { kernel, stride });
      return separable(first, `${path}.conv2`, at, channels, { kernel });
    }
  }
}

/** Adds one cell. x is the output of the previous cell, `before` that of the one before it. With `stride` 2 the
 *  operations on the inputs halve the size. `raw` is for the first cell, which reads `before` without a convolution. */
export function nasCell(
  x: Value,
  before: Value,
  path: string,
  at: Context,
  {
    cell,
    channels,
    stride,
    names,
    raw = false,
  }: {
    readonly cell: Cell;
    readonly channels: number;
    readonly stride: number;
    readonly names: CellNames;
    readonly raw?: boolean;
  },
): Value {
  // prettier-ignore
  const inputOf = (state: 0 | 1, value: Value): Value => {
    if (value.shape[1] === x.shape[1]) return pointwise(value, `${path}.${names.input(state, false)}`, at, channels);
    return halve(value, `${path}.${names.input(state, true)}`, at, channels, names.halves);
  };
  const states = [inputOf(0, x), raw ? before : inputOf(1, before)];
  for (const [sum, branches] of cell.sums.entries()) {
    const [left, right] = branches.map(([op, state], side) => {
      const name = `${path}.${names.branch(sum, side as 0 | 1)}`;
      return apply(op, states[state]!, name, at, channels, state < 2 ? stride : 1);
    }) as [Value, Value];
    states.push(add(left, right));
  }
  return concat(cell.output.map((state) => states[state]!), 3); // prettier-ignore
}
