import { describe, expect, test } from '@jest/globals';
import { difference } from '../../src/engine/calibrate.js';
import type { Feeds, Results } from '../../src/engine/engine.js';
import { quantize } from '../../src/engine/litert/quantize.js';
import { loadLiteRt } from '../../src/engine/litert/runtime.js';
import * as b from '../../src/graph/builder.js';
import type { Params } from '../../src/graph/params.js';
import { inputsOf, type Program } from '../../src/graph/program.js';
import { samePadding, sizeOf, symmetricPadding } from '../../src/graph/shapes.js';
import type { Graph, Padding, Value } from '../../src/graph/spec.js';
import { randomStream } from '../../src/random.js';
import { emitTflite } from '../../src/tflite/emit.js';
import { encodeTflite } from '../../src/tflite/encode.js';
import { halveTflite } from '../../src/tflite/halve.js';
import type { TfliteModel, TfliteNode } from '../../src/tflite/model.js';
import { layersOf, planQuantization } from '../../src/tflite/quantizable.js';
import { quantizeTflite } from '../../src/tflite/quantize.js';
import { buildProgram, smallClassifier, smallDetector, textDetector } from '../models/smallNetworks.js';

const none: Padding = [
  [0, 0],
  [0, 0],
];
const random = randomStream(1, 'weights');
const weights = (graph: Graph, ...shape: number[]): Value =>
  b.constant(
    graph,
    Array.from({ length: sizeOf(shape) }, () => random.uniform(-1, 1)),
    shape,
  );

/** A layer of single pixels without an activation. */
const layer = (x: Value, channels: number): Value => {
  const { graph } = x.node;
  const y = b.conv(x, weights(graph, 1, 1, x.shape[3]!, channels), { stride: 1, dilation: 1, padding: none });
  return b.biasAdd(y, weights(graph, channels));
};

/** What can stand between two layers, by the operator that it becomes. */
const between: Record<string, (x: Value, graph: Graph) => Value> = {
  ADD: (x) => b.add(x, layer(x, 4)),
  MUL: (x) => b.mul(x, b.sigmoid(x)),
  'MUL with a number': (x) => b.mul(x, 0.3),
  'ADD with RELU6': (x) => b.mul(b.relu6(b.add(x, 3)), 1 / 6),
  SUB: (x) => b.sub(x, layer(x, 4)),
  CONCATENATION: (x) => b.concat([x, b.relu(layer(x, 2))], 3),
  MEAN: (x) => b.globalAveragePool(x),
  AVERAGE_POOL_2D: (x) => b.averagePool(x, { kernel: [2, 2], stride: 2 }),
  MAX_POOL_2D: (x) => b.maxPool(x, { kernel: [2, 2], stride: 2, padding: none }),
  'PAD before MAX_POOL_2D': (x) => b.maxPool(b.relu(x), { kernel: [3, 3], stride: 2, padding: symmetricPadding(3) }),
  RESIZE_BILINEAR: (x) => b.resize(x, [12, 16], 'bilinear'),
  RESIZE_NEAREST_NEIGHBOR: (x) => b.resize(x, [12, 16], 'nearest'),
  HARD_SWISH: (x) => b.hardSwish(x),
  LEAKY_RELU: (x) => b.maximum(x, b.mul(x, 0.1)),
  RESHAPE: (x) => b.reshape(b.transpose(b.reshape(x, [48, 2, 2]), [0, 2, 1]), [1, 6, 8, 4]),
  SLICE: (x) => b.slice(x, [0, 0, 0, 1], [1, 6, 8, 2]),
  CONV_2D: (x, g) =>
    b.relu(b.conv(x, weights(g, 3, 3, 4, 4), { stride: 2, dilation: 1, padding: symmetricPadding(3) })),
  'CONV_2D in groups': (x, g) =>
    b.conv(x, weights(g, 3, 3, 2, 4), { stride: 1, dilation: 1, padding: symmetricPadding(3), groups: 2 }),
  'CONV_2D, dilated': (x, g) =>
    b.conv(x, weights(g, 3, 3, 4, 4), { stride: 1, dilation: 2, padding: symmetricPadding(3, 2) }),
  DEPTHWISE_CONV_2D: (x, g) =>
    b.relu6(
      b.depthwise(x, weights(g, 3, 3, 4, 1), {
        stride: 2,
        dilation: 1,
        padding: [samePadding(6, 3, 2), samePadding(8, 3, 2)],
      }),
    ),
};

/** Feeds of pixels for the inputs. */
const feedsOf = (program: Program, count: number): Feeds[] =>
  Array.from({ length: count }, (_, i) => {
    const pixels = randomStream(i, 'pixels');
    const fed = inputsOf(program).map(({ name, shape }) => {
      const values = Float32Array.from({ length: sizeOf(shape) }, () => pixels.integer(0, 256));
      return [name, values] as const;
    });
    return Object.fromEntries(fed);
  });

async function run(model: TfliteModel, feeds: readonly Feeds[]): Promise<Results[]> {
  const loaded = await (await loadLiteRt()).open(encodeTflite(model));
  const results: Results[] = [];
  for (const fed of feeds) {
    const outputs = await loaded.run(loaded.inputs.map((name) => fed[name]!));
    results.push(Object.fromEntries(outputs.map((values, i) => [loaded.outputs[i]!, values as Float32Array])));
  }
  loaded.dispose();
  return results;
}

/** Quantises every layer, and measures how much the outputs change, as a share of their size. */
async function quantized(program: Program, params: Params = new Map()) {
  const feeds = feedsOf(program, 4);
  const model = emitTflite('program', program, params);
  const options = { feeds, measured: 2, lossOf: () => 0, tolerance: 1 };
  const { model: small } = await quantize(model, params, options);
  return { model, small, loss: difference(await run(small, feeds), await run(model, feeds)) };
}

describe('between two layers everything is computed with int8:', () => {
  test.each(Object.entries(between))('%s', async (_, build) => {
    const graph = b.createGraph();
    const picture = b.mul(b.input(graph, 'image', [1, 6, 8, 3]), b.constant(graph, [0.01, 0.011, 0.012], [3]));
    const first = layer(b.add(picture, b.constant(graph, [-1, -1.1, -1.2], [3])), 4);
    const { small, loss } = await quantized({ outputs: { y: layer(build(first, graph), 3) } });
    const ops = small.nodes.map(({ op }) => op);
    expect(ops.filter((op) => op === 'QUANTIZE' || op === 'DEQUANTIZE')).toEqual(['QUANTIZE', 'DEQUANTIZE']);
    expect([ops[0], ops.at(-1)]).toEqual(['QUANTIZE', 'DEQUANTIZE']); // of the image and of the output
    expect(loss).toBeLessThan(0.05);
  });
});

test('weights have a scale for each output channel, and biases those of the products', async () => {
  const graph = b.createGraph();
  const { small } = await quantized({ outputs: { y: layer(b.input(graph, 'image', [1, 6, 8, 3]), 5) } });
  const { inputs } = small.nodes.find(({ op }) => op === 'CONV_2D')!;
  const [x, weight, bias] = inputs.map((name) => small.tensors.get(name)!);
  expect(x).toMatchObject({ type: 'int8', levels: { scales: [1], zero: -128 } });
  expect(weight).toMatchObject({ type: 'int8', shape: [5, 1, 1, 3], levels: { zero: 0, axis: 0 } });
  expect(bias).toMatchObject({ type: 'int32', levels: { zero: 0, axis: 0 } });
  expect([...weight!.levels!.scales]).toHaveLength(5);
  weight!.levels!.scales.forEach((scale: number, c: number) => {
    expect(bias!.levels!.scales[c]).toBeCloseTo(scale, 9); // the image's scale is 1
  });
});

const isLayer = ({ op }: TfliteNode): boolean => typeof op === 'string' && /CONV_2D|FULLY/.test(op);
const ssdlite = smallDetector('ssdlite');
const networks = {
  ssdlite,
  classifier: smallClassifier(),
  ...(process.env.FINETUNE_SLOW === '1' && {
    retinanet: smallDetector('retinanet'),
    fcos: smallDetector('fcos'),
    text: textDetector('craft-lite'),
  }),
};
test.each(Object.entries(networks))('%s: every layer computes with int8', async (_, network) => {
  const { program, params } = buildProgram(network, { withLoss: false, batch: 1 });
  const { model, small, loss } = await quantized(program, params);
  const layers = (one: TfliteModel) => one.nodes.filter(isLayer);
  expect(layers(small)).toHaveLength(layers(model).length);
  for (const { inputs } of layers(small)) expect(small.tensors.get(inputs[1]!)!.type).toBe('int8');
  expect(loss).toBeLessThan(0.6); // weights of a formula, not learnt ones
});

test('any layer can stay in float32', () => {
  const { program, params } = buildProgram(ssdlite, { withLoss: false, batch: 1 });
  const model = emitTflite('program', program, params);
  const ranges = new Map(
    [...planQuantization(model, new Set()).groups.keys()].map((name) => [name, { min: -1, max: 1 }]),
  );
  for (const kept of layersOf(model).filter((_name, i) => i % 8 === 0)) {
    const { nodes, tensors } = quantizeTflite(model, ranges, new Set([kept]));
    const float = nodes.filter((node) => isLayer(node) && tensors.get(node.inputs[1]!)!.type === 'float32');
    expect(float.map(({ outputs }) => outputs[0])).toEqual([kept]);
  }
});

test('float16 stores every parameter in half the bytes, and changes the outputs little', async () => {
  const network = smallClassifier();
  const { program, params } = buildProgram(network, { withLoss: false, batch: 1 });
  const model = emitTflite('program', program, params);
  const small = halveTflite(model, (name) => params.has(name));
  const bytes = ({ tensors }: TfliteModel) =>
    [...tensors.values()].reduce((sum, { data }) => sum + (data?.byteLength ?? 0), 0);
  expect(bytes(small)).toBeLessThan(bytes(model) * 0.55);
  const feeds = feedsOf(program, 2);
  const off = difference(await run(small, feeds), await run(model, feeds));
  expect(off).toBeGreaterThan(0);
  expect(off).toBeLessThan(5e-3);
});
