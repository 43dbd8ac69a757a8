import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openBackend, type CompiledBackend } from '../../src/engine/backend.js';
import { compile } from '../../src/engine/compile.js';
import type { Feed, Results } from '../../src/engine/engine.js';
import type { FilePorts, FileSession } from '../../src/engine/file.js';
import { openSavedModel } from '../../src/engine/libtensorflow/savedModel.js';
import { openGraphModel } from '../../src/engine/tfjs/graphModel.js';
import * as b from '../../src/graph/builder.js';
import { inputsOf, parametersOf, type Program } from '../../src/graph/program.js';
import { sizeOf } from '../../src/graph/shapes.js';
import type { DType, ParamKind, Shape, Value } from '../../src/graph/spec.js';
import { randomStream } from '../../src/random.js';
import { emitInference } from '../../src/tensorflow/inference.js';
import { encodeSavedModel } from '../../src/tensorflow/savedModel.js';
import { encodeGraphModel } from '../../src/tensorflow/tfjs/graphModel.js';
import { tfjsRules } from '../../src/tensorflow/tfjs/rules.js';
import { temporaryFolder } from '../data/temporaryFolder.js';
import { exactOps } from '../graph/exactOps.js';
import { opCases, type OpCase } from '../graph/opCases.js';
import { formulaParams } from '../models/formula.js';

/** Every op that has a meaning without training, as a SavedModel in TensorFlow's own loader and as a graph model in
 *  TensorFlow.js: the same as on the portable engine, which test/engine and test/graph check. All cases are one program. */

const folder = temporaryFolder();
const graph = b.createGraph();
const arrays = { float32: Float32Array, int32: Int32Array, bool: Uint8Array } as const;
const feeds: Record<string, Feed> = {};
const outputs: Record<string, Value> = {};

function feed(name: string, shape: Shape, dtype: DType, values: readonly number[]): Value {
  feeds[name] = new arrays[dtype](values);
  return b.input(graph, name, shape, dtype);
}

const labels = new Map<string, string>(); // names of nodes have no spaces
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
const same = [[1, 1], [1, 1]] as const; // prettier-ignore
const window = { stride: 1, dilation: 1, padding: same };

/** Layers, whose bias and activation TensorFlow.js computes with the convolution. */
const layer = b.biasAdd(b.conv(image('layer', 1, 5, 5, 4), param('layer.weight', 'conv', 3, 3, 4, 6), window), param('layer.bias', 'vector', 6)); // prettier-ignore
outputs.fused = b.relu6(layer);
outputs.fusedTwice = b.mul(b.relu(layer), layer);
outputs.fusedBias = b.biasAdd(b.depthwise(image('deep', 1, 6, 5, 4), param('deep.weight', 'depthwise', 3, 3, 4, 1), { ...window, padding: [[2, 0], [1, 2]] }), param('deep.bias', 'vector', 4)); // prettier-ignore
outputs.fusedProduct = b.relu(b.biasAdd(b.matMul(image('rows', 3, 4), param('product.weight', 'linear', 4, 5)), param('product.bias', 'vector', 5))); // prettier-ignore
outputs.grouped = b.conv(image('groups', 1, 5, 5, 6), param('groups.weight', 'conv', 3, 3, 2, 9), { ...window, stride: 2, groups: 3 }); // prettier-ignore
outputs.nearest = b.resize(image('small', 1, 7, 5, 2), [23, 17], 'nearest');
const corners = [[0, 0, 4, 4], [0, 1, 4, 5], [6, 6, 9, 9], [NaN, 0, 1, 1], [1, 0, 5, 4], [6, 6, 9, 8]]; // prettier-ignore
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
const program: Program = { outputs };
const params = formulaParams(parametersOf({ program }));
const ports: FilePorts = {
  inputs: inputsOf(program),
  outputs: Object.entries(outputs).map(([name, { shape }]) => ({ name, shape })),
};

const exact: Program = {
  outputs: Object.fromEntries(
    (() => {
      const all = b.createGraph();
      return exactOps
        .filter(([op]) => op !== 'softmaxCrossEntropy')
        .map(([, build], i): [string, Value] => [`exact${i}`, build(all)]);
    })(),
  ),
};

const inPlace = (name: string): string => {
  const directory = join(folder, name);
  mkdirSync(directory);
  return directory;
};
const open = {
  async savedModel(name: string, one: Program, given: FilePorts): Promise<FileSession> {
    const directory = inPlace(name);
    writeFileSync(join(directory, 'saved_model.pb'), encodeSavedModel(emitInference(one, params)));
    return openSavedModel(directory, given, (await openBackend({ engine: 'tensorflow' })) as CompiledBackend);
  },
  async graphModel(name: string, one: Program, given: FilePorts): Promise<FileSession> {
    const directory = inPlace(name);
    const { json, shards } = encodeGraphModel(emitInference(one, params, tfjsRules), () => 'float32');
    writeFileSync(join(directory, 'model.json'), JSON.stringify(json));
    for (const [file, bytes] of shards) writeFileSync(join(directory, file), bytes);
    return openGraphModel(directory, given);
  },
};

let expected: Results;
beforeAll(async () => {
  const portable = await compile({ program }, await openBackend({ engine: 'wasm' }));
  await portable.write(params);
  expected = await portable.run('program', feeds);
  portable.dispose();
});

/** Largest |a − b| / (1 + |b|). */
const distance = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Math.max(...Array.from(b, (value, i) => Math.abs(a[i]! - value) / (1 + Math.abs(value))));

describe.each(Object.keys(open) as (keyof typeof open)[])('a %s', (format) => {
  const sessions: FileSession[] = [];
  afterAll(() => {
    for (const session of sessions) session.dispose();
  });

  test('computes every op as the portable engine does', async () => {
    const session = await open[format](`${format}-all`, program, ports);
    sessions.push(session);
    const found = await session.run('evaluate', feeds);
    const wrong = Object.entries(expected).filter(
      ([name, values]) => found[name]!.length !== values.length || !(distance(found[name]!, values) < 1e-5),
    );
    expect(wrong.map(([name]) => labels.get(name) ?? name)).toEqual([]);
  });

  test('gives the expected results of ops that have no gradient', async () => {
    const given = { inputs: [], outputs: Object.entries(exact.outputs).map(([name, { shape }]) => ({ name, shape })) };
    const session = await open[format](`${format}-exact`, exact, given);
    sessions.push(session);
    const found = await session.run('evaluate', {});
    for (const [i, [op, , values]] of exactOps.entries())
      if (op !== 'softmaxCrossEntropy')
        expect([op, [...found[`exact${i}`]!]]).toEqual([op, values.map((value) => expect.closeTo(value, 6))]);
  });
});
