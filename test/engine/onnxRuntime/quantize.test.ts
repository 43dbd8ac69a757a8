import { expect, test } from '@jest/globals';
import { readModelOptions } from '../../../src/api/modelOptions.js';
import { quantize } from '../../../src/engine/onnxRuntime/quantize.js';
import type { Feeds } from '../../../src/engine/engine.js';
import { createClassification } from '../../../src/evaluate/createTask.js';
import { fold } from '../../../src/graph/fold.js';
import { parametersOf } from '../../../src/graph/program.js';
import { emitOnnx } from '../../../src/onnx/emit.js';
import type { OnnxModel } from '../../../src/onnx/model.js';
import { formulaParams, uniform } from '../../models/formula.js';
import { tinyTable } from '../../tinyBackbone.js';

const SIDE = 64;
const feeds: readonly Feeds[] = [0, 1, 2, 3].map((i) => ({ image: uniform(`image ${i}`, SIDE * SIDE * 3, 127, 127) }));

function classifier(): OnnxModel {
  const read = readModelOptions({ task: 'classification', backbone: tinyTable, classes: 5, size: [SIDE, SIDE] });
  if (read.task !== 'classification') throw new Error('no classifier');
  const task = createClassification(read.options);
  const { outputs } = task.build({ batch: 1, size: [SIDE, SIDE], trainBatchNorm: () => false });
  const { roots, derive } = fold(Object.values(outputs));
  const program = { outputs: Object.fromEntries(Object.keys(outputs).map((key, i) => [key, roots[i]!])) };
  const given = formulaParams(parametersOf({ all: { outputs } }));
  return emitOnnx('evaluate', program, new Map([...given, ...derive(given)]));
}
const model = classifier();
const int8Of = ({ initializers }: OnnxModel): number => initializers.filter(({ type }) => type === 'int8').length;

test.each(['minMax', 'percentile', 'mse'] as const)(
  'a classifier calibrated by %s stays near float32',
  async (method) => {
    const { loss, model: quantized, kept } = await quantize(model, feeds, { method, tolerance: 1, threads: 1 });
    expect(kept).toEqual([]);
    expect(loss).toBeGreaterThan(0);
    expect(loss).toBeLessThan(0.2);
    expect(int8Of(quantized)).toBeGreaterThan(10);
  },
);

test('the most sensitive layers stay in float32 where the loss is too large, and the loss falls', async () => {
  const options = { method: 'minMax', threads: 1, mostKept: 0.2, measured: 2 } as const;
  const all = await quantize(model, feeds, { ...options, tolerance: 1 });
  const some = await quantize(model, feeds, { ...options, tolerance: 0 });
  expect(some.kept.length).toBeGreaterThan(0);
  expect(some.loss).toBeLessThan(all.loss);
  const [first, second] = some.kept.map(({ loss }) => loss);
  expect(first).toBeGreaterThanOrEqual(second ?? 0);
});

test('the caller may measure the loss', async () => {
  const lossOf = (ours: readonly unknown[], expected: readonly unknown[]): number => ours.length + expected.length;
  expect(await quantize(model, feeds, { lossOf, tolerance: 6, measured: 3, threads: 1 })).toMatchObject({ loss: 6 });
});

test('nothing to calibrate with is refused', async () => {
  await expect(quantize(model, [])).rejects.toEqual(expect.objectContaining({ code: 'E_QUANTIZE' }));
  const broken = { image: new Float32Array(SIDE * SIDE * 3).fill(NaN) };
  await expect(quantize(model, [broken])).rejects.toEqual(expect.objectContaining({ code: 'E_QUANTIZE' }));
});
