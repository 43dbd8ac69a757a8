import { isOp } from '../graph/builder.js';
import type { Convolution, Node, Op, Ops, Padding, Value } from '../graph/spec.js';
import type { Emission, Place, Rule } from './emission.js';
import type { Attrs } from './model.js';

/** Convolutions, pools and other ops of images, all with their channels first. */

const first = (name: string): Place => ({ name, order: 'first' });

function windowAttrs(
  kernel: readonly number[],
  { stride, dilation, padding }: { stride: number; dilation?: number; padding: Padding },
): Attrs {
  const [[top, bottom], [left, right]] = padding;
  return {
    kernel_shape: { ints: kernel },
    strides: { ints: [stride, stride] },
    pads: { ints: [top, left, bottom, right] },
    ...(dilation && { dilations: { ints: [dilation, dilation] } }),
  };
}

/** Positions of the axes of our filters in ONNX's [O,I,kh,kw]: HWIO, and HWC1, where each channel is a group. */
const FILTER = { conv: [3, 2, 0, 1], depthwise: [2, 3, 0, 1] } as const;

type AnyConvolution = Node<'conv'> | Node<'depthwise'>;
export const isConvolution = (node: Node): node is Node & AnyConvolution =>
  isOp(node, 'conv') || isOp(node, 'depthwise');

/** A convolution, with the bias that is added to it. */
export function convolve(node: AnyConvolution, at: Emission, bias?: Value): Place[] {
  const [x, filter] = node.inputs as [Value, Value];
  const window: Convolution = node.attrs;
  const groups = node.op === 'depthwise' ? filter.shape[2]! : (window.groups ?? 1);
  const inputs = [at.first(x), at.permuted(filter, FILTER[node.op]), ...(bias ? [at.last(bias)] : [])];
  const attrs = { ...windowAttrs(filter.shape.slice(0, 2), window), group: { int: groups } };
  return [first(at.add('Conv', inputs, attrs))];
}

/** Interpolation as PyTorch's with align_corners=False. */
const resize: Rule<'resize'> = ({ attrs: { method, size }, inputs }, at) => {
  const [x] = inputs as [Value];
  const [n, h, w, c] = x.shape as [number, number, number, number];
  if (method === 'nearest' && !(roundsAlike(h, size[0]) && roundsAlike(w, size[1])))
    return [first(pickPixels(at, at.first(x), [h, w], size))];
  const attrs: Attrs =
    method === 'nearest'
      ? {
          mode: { string: 'nearest' },
          coordinate_transformation_mode: { string: 'asymmetric' },
          nearest_mode: { string: 'floor' },
        }
      : { mode: { string: 'linear' }, coordinate_transformation_mode: { string: 'half_pixel' } };
  const factors = [size[0] / h, size[1] / w] as const;
  // ONNX Runtime keeps its blocked layout of channels only where the factors are given and are integers.
  const goal = factors.every(Number.isInteger) ? [at.floats([1, 1, ...factors], [4])] : ['', at.ints([n, c, ...size])];
  return [first(at.add('Resize', [at.first(x), '', ...goal], attrs))];
};

const nearest = (i: number, length: number, resized: number): number => Math.floor((i * length) / resized);
/** Whether the single precision of runtimes, which divide by the factor, finds the same pixels. */
function roundsAlike(length: number, resized: number): boolean {
  const factor = Math.fround(resized / length);
  return Array.from({ length: resized }, (_, i) => i).every(
    (i) => Math.floor(Math.fround(i / factor)) === nearest(i, length, resized),
  );
}
function pickPixels(at: Emission, x: string, lengths: readonly number[], size: readonly number[]): string {
  return lengths.reduce((image, length, i) => {
    const resized = size[i]!;
    const rows = Array.from({ length: resized }, (_, row) => nearest(row, length, resized));
    return at.add('Gather', [image, at.ints(rows)], { axis: { int: i + 2 } });
  }, x);
}

const pool =
  (op: string) =>
  ({ attrs, inputs: [x] }: Node<'maxPool'> | Node<'averagePool'>, at: Emission): Place[] => {
    const padding: Padding = 'padding' in attrs ? attrs.padding : [[0, 0], [0, 0]]; // prettier-ignore
    return [first(at.add(op, [at.first(x!)], windowAttrs(attrs.kernel, { stride: attrs.stride, padding })))];
  };

const batchNorm = ({ attrs: { epsilon }, inputs: [x, ...vectors] }: Node<'batchNorm'>, at: Emission): Place[] => {
  const names = vectors.map((vector) => at.last(vector));
  const y = at.add('BatchNormalization', [at.first(x!), ...names], { epsilon: { float: epsilon } });
  const [, , mean, variance] = names.map((name): Place => ({ name, order: 'last' })) as [Place, Place, Place, Place];
  return [first(y), mean, variance, mean, variance, mean];
};

export const onnxImages = {
  conv: (node, at) => convolve(node, at),
  depthwise: (node, at) => convolve(node, at),
  batchNorm,
  globalAveragePool: ({ inputs: [x] }, at) => [first(at.add('GlobalAveragePool', [at.first(x!)]))],
  maxPool: pool('MaxPool'),
  averagePool: pool('AveragePool'),
  resize,
} satisfies { [K in Op]?: Rule<K> };

/** Ops whose first input has its channels first. */
export const imageOps: ReadonlySet<Op> = new Set<keyof Ops>([
  'conv', 'depthwise', 'batchNorm', 'globalAveragePool', 'maxPool', 'averagePool', 'resize', 'cropAndResize',
]); // prettier-ignore
