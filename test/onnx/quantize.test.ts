import { describe, expect, test } from '@jest/globals';
import * as b from '../../src/graph/builder.js';
import type { Params } from '../../src/graph/params.js';
import { sizeOf } from '../../src/graph/shapes.js';
import type { Padding, Value } from '../../src/graph/spec.js';
import { emitOnnx } from '../../src/onnx/emit.js';
import { planQuantization } from '../../src/onnx/quantizable.js';
import { levelsOf, quantizeOnnx } from '../../src/onnx/quantize.js';
import { randomStream } from '../../src/random.js';

/** A residual net: a stem with a ReLU, two convolutions, the sum, a pool, a head whose rows are the output. */
const padding: Padding = [[1, 1], [1, 1]]; // prettier-ignore
const random = randomStream(1, 'quantize');
const params: Params = new Map();
const graph = b.createGraph();
const param = (name: string, kind: 'conv' | 'vector', shape: readonly number[]): Value => {
  params.set(name, { shape, data: Float32Array.from({ length: sizeOf(shape) }, () => random.normal() / 3) });
  return b.param(graph, { name, role: 'weight', kind, init: { type: 'constant', value: 0 }, shape });
};
const conv = (x: Value, name: string, channels: number): Value => {
  const filter = param(`${name}.weight`, 'conv', [3, 3, x.shape[3]!, channels]);
  const bias = param(`${name}.bias`, 'vector', [channels]);
  return b.biasAdd(b.conv(x, filter, { stride: 1, dilation: 1, padding }), bias);
};
const image = b.input(graph, 'image', [1, 8, 8, 3]);
const stem = b.relu(conv(b.mul(image, 1 / 255), 'stem', 8));
const sum = b.add(stem, conv(b.relu6(conv(stem, 'inner', 8)), 'outer', 8));
const pooled = b.maxPool(sum, { kernel: [2, 2], stride: 2, padding: [[0, 0], [0, 0]] }); // prettier-ignore
const rows = b.reshape(conv(pooled, 'head', 4), [1, 16, 4]);
const model = emitOnnx('net', { outputs: { rows, stem } }, params);
const plan = planQuantization(model, new Set());
const ranges = new Map([...plan.values.values()].map((name) => [name, { min: -1, max: 3 }]));

test('every convolution is quantised, and what lies between; not the scaling before them and the rows after them', () => {
  expect([...plan.nodes]).toEqual(expect.arrayContaining(['stem/Conv', 'inner/Conv', 'outer/Conv', 'head/Conv']));
  const ops = model.nodes.filter(({ name }) => plan.nodes.has(name)).map(({ op }) => op);
  expect(ops.sort()).toEqual(['Add', 'Clip', 'Conv', 'Conv', 'Conv', 'Conv', 'MaxPool', 'Relu']);
  expect(plan.values.has('inner/Conv')).toBe(false); // its levels are those of the Clip
  const pool = model.nodes.find(({ op }) => op === 'MaxPool')!;
  expect(plan.values.get(pool.outputs[0]!)).toBe(pool.inputs[0]); // a pool keeps the levels of its input
});

describe('the quantised model', () => {
  const quantized = quantizeOnnx(model, ranges);
  const tensor = (name: string) => quantized.initializers.find((one) => one.name === name)!;

  test('has weights of 7 bits with one scale for each output channel', () => {
    const weight = tensor('stem.weight.int8');
    const scales = tensor('stem.weight.int8.scale').data as Float32Array;
    expect([weight.type, weight.shape, scales.length]).toEqual(['int8', [8, 3, 3, 3], 8]);
    const given = model.initializers.find(({ name }) => name === 'stem.weight')!.data as Float32Array;
    const errors = given.map((value, i) => Math.abs(value - Number(weight.data[i]) * scales[Math.floor(i / 27)]!));
    expect(errors.every((error, i) => error <= scales[Math.floor(i / 27)]! * 0.5001)).toBe(true);
    expect(Math.max(...Array.from(weight.data as Int8Array, Math.abs))).toBe(64);
    expect(Math.max(...Array.from(tensor('stem.weight.int8').data as Int8Array))).toBeLessThanOrEqual(64);
  });

  test('takes back with the bias what rounding adds to the mean', () => {
    const means = new Map([...plan.values.keys()].map((name) => [name, new Float32Array(8).fill(2)]));
    const [reads, writes] = [3, 8];
    const stemReads = model.nodes.find(({ name }) => name === 'stem/Conv')!.inputs[0]!;
    means.set(stemReads, Float32Array.of(1, 0, -2));
    const corrected = quantizeOnnx(model, ranges, { means });
    const of = (one: typeof model, name: string) => one.initializers.find((tensor) => tensor.name === name)!.data;
    const given = of(model, 'stem.weight') as Float32Array;
    const [levels, scales] = [of(quantized, 'stem.weight.int8'), of(quantized, 'stem.weight.int8.scale')];
    const expected = new Float64Array(writes);
    given.forEach((value, i) => {
      const output = Math.floor(i / (9 * reads));
      const mean = [1, 0, -2][Math.floor(i / 9) % reads]!;
      expected[output]! += (value - Number(levels[i]) * Number(scales[output])) * mean;
    });
    const products = of(quantized, 'stem.bias.int32.scale');
    const [before, after] = [of(quantized, 'stem.bias.int32'), of(corrected, 'stem.bias.int32')];
    const shifts = Array.from(expected, (_, c) => (Number(after[c]) - Number(before[c])) * Number(products[c]));
    for (const [c, shift] of shifts.entries()) expect(shift).toBeCloseTo(expected[c]!, 3);
    expect(Math.max(...shifts.map(Math.abs))).toBeGreaterThan(1e-3);
  });

  test('keeps the names of its outputs, and every input of a node exists', () => {
    expect(quantized.outputs).toEqual(model.outputs);
    const known = new Set(['', 'image', ...quantized.initializers.map(({ name }) => name)]);
    for (const node of quantized.nodes) {
      expect([node.name, node.inputs.filter((name) => !known.has(name))]).toEqual([node.name, []]);
      for (const name of node.outputs) known.add(name);
    }
    for (const { name } of quantized.outputs) expect(known.has(name)).toBe(true);
  });

  test('leaves the layers that are to keep in float32', () => {
    const kept = quantizeOnnx(model, ranges, { keep: new Set(['outer/Conv']) });
    const names = kept.initializers.map(({ name }) => name);
    expect(names).toContain('outer.weight');
    expect(names).not.toContain('outer.weight.int8');
    expect(names).toContain('inner.weight.int8');
  });

  test('gives a kept layer its input with a scale for each channel: with one scale ONNX Runtime quantises its weights', () => {
    const kept = quantizeOnnx(model, ranges, { keep: new Set(['outer/Conv']) });
    const [input] = kept.nodes.find(({ name }) => name === 'outer/Conv')!.inputs;
    const levels = kept.nodes.find(({ outputs }) => outputs[0] === input)!;
    const scale = kept.initializers.find(({ name }) => name === levels.inputs[1])!;
    expect([levels.op, levels.attrs, scale.shape]).toEqual(['DequantizeLinear', { axis: { int: 1 } }, [8]]);
  });
});

test('levels span the range and hold 0 exactly', () => {
  expect(levelsOf({ min: 0, max: 255 })).toEqual({ scale: 1, zero: 0 });
  expect(levelsOf({ min: 1, max: 51 }).zero).toBe(0);
  expect(levelsOf({ min: -1, max: 4 }).zero).toBe(51);
  expect(levelsOf({ min: 0, max: 0 }).scale).toBe(1);
});
