import * as b from '../../src/graph/builder.js';
import type { Feed } from '../../src/engine/engine.js';
import { parametersOf, type Program } from '../../src/graph/program.js';
import { sizeOf } from '../../src/graph/shapes.js';
import type { DType, ParamKind, Shape, Value } from '../../src/graph/spec.js';
import { randomStream } from '../../src/random.js';
import { opCases, type OpCase } from '../graph/opCases.js';
import { formulaParams } from '../models/formula.js';

/** One program of every op that has a meaning without training, what it is fed with and values of its parameters. */

const graph = b.createGraph();
const arrays = { float32: Float32Array, int32: Int32Array, bool: Uint8Array } as const;
export const feeds: Record<string, Feed> = {};
const outputs: Record<string, Value> = {};

function feed(name: string, shape: Shape, dtype: DType, values: readonly number[]): Value {
  feeds[name] = new arrays[dtype](values);
  return b.input(graph, name, shape, dtype);
}

/** What the outputs with a number stand for: names of nodes have no spaces. */
export const labels = new Map<string, string>();
function addCase({ label, operands, build }: OpCase): void {
  const random = randomStream(1, label);
  const drawn = operands.map(({ shape, draw }) => Array.from({ length: sizeOf(shape) }, (_, i) => draw(random, i)));
  for (const way of ['fed', 'constant'] as const) {
    const name = `case${labels.size}`;
    labels.set(name, `${label} ${way}`);
    const values = operands.map(({ shape, dtype }, i) =>
      way === 'fed' ? feed(`${name}x${i}`, shape, dtype, drawn[i]!) : b.constant(graph, drawn[i]!, shape, dtype),
    );
    outputs[name] = build(...values);
  }
}
const ofTraining = ['softmaxCrossEntropy', 'batchNorm in training'];
for (const one of Object.values(opCases as Record<string, readonly OpCase[]>).flat())
  if (!ofTraining.some((op) => one.label.startsWith(op))) addCase(one);

const image = (name: string, ...shape: number[]): Value => {
  const random = randomStream(2, name);
  return feed(
    name,
    shape,
    'float32',
    Array.from({ length: sizeOf(shape) }, () => random.uniform(-2, 2)),
  );
};
const param = (name: string, kind: ParamKind, ...shape: number[]): Value =>
  b.param(graph, { name, shape, role: 'weight', kind, init: { type: 'constant', value: 0 } });
const same = [
  [1, 1],
  [1, 1],
] as const;
const window = { stride: 1, dilation: 1, padding: same };

/** Layers, whose bias and activation TensorFlow.js computes with the convolution. */
const layer = b.biasAdd(
  b.conv(image('layer', 1, 5, 5, 4), param('layer.weight', 'conv', 3, 3, 4, 6), window),
  param('layer.bias', 'vector', 6),
);
outputs.fused = b.relu6(layer);
outputs.fusedTwice = b.mul(b.relu(layer), layer);
outputs.fusedBias = b.biasAdd(
  b.depthwise(image('deep', 1, 6, 5, 4), param('deep.weight', 'depthwise', 3, 3, 4, 1), {
    ...window,
    padding: [
      [2, 0],
      [1, 2],
    ],
  }),
  param('deep.bias', 'vector', 4),
);
outputs.fusedProduct = b.relu(
  b.biasAdd(b.matMul(image('rows', 3, 4), param('product.weight', 'linear', 4, 5)), param('product.bias', 'vector', 5)),
);
outputs.grouped = b.conv(image('groups', 1, 5, 5, 6), param('groups.weight', 'conv', 3, 3, 2, 9), {
  ...window,
  stride: 2,
  groups: 3,
});
outputs.nearest = b.resize(image('small', 1, 7, 5, 2), [23, 17], 'nearest');
const corners = [
  [0, 0, 4, 4],
  [0, 1, 4, 5],
  [6, 6, 9, 9],
  [NaN, 0, 1, 1],
  [1, 0, 5, 4],
  [6, 6, 9, 8],
];
const boxes = feed('boxes', [1, 6, 4], 'float32', corners.flat());
const scores = feed('scores', [1, 6], 'float32', [0.3, 0.9, 0.5, 0.2, 0.8, 0.6]);
const [kept, count] = b.nonMaxSuppression(boxes, scores, { threshold: 0.4, limit: 5 }) as [Value, Value];
outputs.kept = kept;
outputs.count = count;
outputs.chosen = b.gather(scores, kept);
const two = b.gather(image('table', 2, 4, 3), feed('indices', [2, 2], 'int32', [3, 0, 1, 2]));
outputs.gathered = two;
outputs.cropped = b.cropAndResize(
  image('map', 2, 6, 7, 3),
  feed('windows', [3, 4], 'float32', [0, 0, 5, 6, 1.5, -2, 4, 3, 2, 2, 9, 5]),
  feed('index', [3], 'int32', [0, 1, 1]),
  [3, 4],
);
export const program: Program = { outputs };
export const params = formulaParams(parametersOf({ program }));

/** Largest |a − b| / (1 + |b|). */
export const distance = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Math.max(...Array.from(b, (value, i) => Math.abs(a[i]! - value) / (1 + Math.abs(value))));
