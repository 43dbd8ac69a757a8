import { expect, test } from '@jest/globals';
import * as b from '../../src/graph/builder.js';
import { activate } from '../../src/graph/blocks.js';
import type { Param, Params } from '../../src/graph/params.js';
import { sizeOf } from '../../src/graph/shapes.js';
import type { Padding, Value } from '../../src/graph/spec.js';
import { channelShuffle } from '../../src/models/backbones/channelShuffle.js';
import { emitOnnx } from '../../src/onnx/emit.js';
import { encodeOnnx } from '../../src/onnx/encode.js';
import type { OnnxModel } from '../../src/onnx/model.js';

/** What the emitted models look like; test/onnx/ops.test.ts checks what they compute. */

const padding: Padding = [[1, 1], [1, 1]]; // prettier-ignore
const opsOf = (outputs: Readonly<Record<string, Value>>, params: Params = new Map()): string[] =>
  emitOnnx('program', { outputs }, params).nodes.map(({ op }) => op);

const graph = b.createGraph();
const image = b.input(graph, 'image', [2, 6, 6, 4]);
const filter = (name: string, shape: readonly number[], kind: 'conv' | 'depthwise'): Value =>
  b.param(graph, { name: `${name}.weight`, role: 'weight', kind, init: { type: 'constant', value: 0 }, shape });
const bias = (name: string): Value =>
  b.param(graph, {
    name: `${name}.bias`,
    role: 'bias',
    kind: 'vector',
    init: { type: 'constant', value: 0 },
    shape: [4],
  });
const counting = (...shape: number[]): Param => ({
  shape,
  data: Float32Array.from({ length: sizeOf(shape) }, (_, i) => i),
});
const params: Params = new Map([
  ['a.weight', counting(3, 3, 4, 4)],
  ['a.bias', counting(4)],
  ['b.weight', counting(3, 3, 4, 1)],
  ['b.bias', counting(4)],
]);
const conv = (x: Value): Value =>
  b.biasAdd(b.conv(x, filter('a', [3, 3, 4, 4], 'conv'), { stride: 1, dilation: 1, padding }), bias('a'));
const depthwise = (x: Value): Value =>
  b.biasAdd(b.depthwise(x, filter('b', [3, 3, 4, 1], 'depthwise'), { stride: 1, dilation: 1, padding }), bias('b'));

test('a net turns its image once and its output once, and holds each bias in its convolution', () => {
  const x = b.relu6(conv(b.div(b.sub(image, 127), b.constant(graph, [1, 2, 3, 4], [4]))));
  const y = b.add(x, b.swish(depthwise(b.hardSwish(x))));
  const gated = b.mul(y, activate(b.globalAveragePool(y), 'hardSigmoid'));
  const joined = b.slice(b.concat([channelShuffle(gated, 2), activate(y, 'leakyRelu')], 3), [0, 0, 0, 0], [2, 6, 6, 6]);
  const rows = b.reshape(b.maxPool(joined, { kernel: [2, 2], stride: 2, padding: [[0, 0], [0, 0]] }), [2, 9, 6]); // prettier-ignore
  expect(opsOf({ rows }, params)).toEqual([
    'Sub', 'Reshape', 'Div', 'Reshape', 'Transpose', 'Conv', 'Clip', 'HardSwish', 'Conv', 'Sigmoid', 'Mul', 'Add', 'GlobalAveragePool', 'HardSigmoid', 'Mul',
    'Reshape', 'Transpose', 'Reshape', 'LeakyRelu', 'Concat', 'Slice', 'MaxPool', 'Transpose', 'Reshape',
  ]); // prettier-ignore
});

test('the layers and the weights keep their names, and the filters get the layout of ONNX', () => {
  const model = emitOnnx('program', { outputs: { y: conv(image), z: depthwise(image) } }, params);
  const shapes = Object.fromEntries(model.initializers.map(({ name, shape }) => [name, shape]));
  expect(shapes).toEqual({ 'a.weight': [4, 4, 3, 3], 'a.bias': [4], 'b.weight': [4, 1, 3, 3], 'b.bias': [4] });
  const [first] = model.initializers;
  expect([...first!.data.slice(0, 3)]).toEqual([0, 16, 32]); // along a row of the filter
  expect(model.nodes.map(({ name }) => name)).toEqual(expect.arrayContaining(['a/Conv', 'b/Conv']));
  expect(model.outputs).toEqual([
    { key: 'y', name: 'y', dtype: 'float32', shape: [2, 6, 6, 4] },
    { key: 'z', name: 'z', dtype: 'float32', shape: [2, 6, 6, 4] },
  ]);
});

test('outputs that are the same value, an input or called like one are all there', () => {
  const y = b.neg(image);
  const model = emitOnnx('program', { outputs: { y, again: y, image: y, given: image } }, params);
  expect(model.outputs.map(({ key, name }) => [key, name])).toEqual([
    ['y', 'y'], ['again', 'again'], ['image', 'image.1'], ['given', 'given'],
  ]); // prettier-ignore
  expect(model.nodes.map(({ op, inputs, outputs }) => [op, inputs, outputs])).toEqual([
    ['Neg', ['image'], ['y']],
    ['Identity', ['y'], ['again']],
    ['Identity', ['y'], ['image.1']],
    ['Identity', ['image'], ['given']],
  ]);
});

test('a model over 2 GB is refused before it is written', () => {
  const huge: OnnxModel = {
    nodes: [], inputs: [], outputs: [],
    initializers: [0, 1].map((i) => ({ name: `w${i}`, type: 'float32', shape: [], data: { byteLength: 2 ** 30 } as Float32Array })),
  }; // prettier-ignore
  expect(() => encodeOnnx(huge)).toThrow(expect.objectContaining({ code: 'E_ONNX_SIZE' }));
});
