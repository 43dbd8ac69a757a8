import { beforeAll, describe, expect, it } from '@jest/globals';
import * as tf from '@tensorflow/tfjs';
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FinetuneError } from '../../src/errors.js';
import { readKeras, readTfjs } from './readers.js';

const fixtures = join(import.meta.dirname, 'fixtures', 'keras'); // fixtures/makeKeras.py
let golden: Record<string, { shape: number[]; values: number[] }>;
let dir: string;
beforeAll(async () => {
  const text = await readFile(join(fixtures, 'golden.json'), 'utf8');
  golden = (JSON.parse(text) as { weights: typeof golden }).weights;
  dir = await mkdtemp(join(tmpdir(), 'keras-'));
});

describe('Keras HDF5', () => {
  it.each(['legacy.h5', 'model.h5', 'tiny.weights.h5'])('%s has every weight by layer and variable', async (name) => {
    const tensors = await readKeras(join(fixtures, name));
    expect([...tensors.keys()].sort()).toEqual(Object.keys(golden).sort());
    for (const [key, { shape, values }] of Object.entries(golden)) {
      expect(tensors.get(key)).toEqual({ shape, dtype: 'float32', data: Float32Array.from(values) });
    }
  });

  it('is an error of ours wherever it is cut', async () => {
    const whole = await readFile(join(fixtures, 'tiny.weights.h5'));
    const file = join(dir, 'cut.h5');
    for (let length = 0; length < whole.length; length += 997) {
      await writeFile(file, whole.subarray(0, length));
      const error: unknown = await readKeras(file).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(FinetuneError);
      expect((error as FinetuneError).problems).toMatchObject([{ code: 'E_HDF5_FORMAT', where: { file } }]);
    }
  });
});

describe('a TensorFlow.js Layers model', () => {
  async function saveModel(): Promise<{ file: string; model: tf.Sequential }> {
    const model = tf.sequential({
      layers: [
        tf.layers.conv2d({ inputShape: [4, 4, 3], filters: 2, kernelSize: 3, name: 'Conv1' }),
        tf.layers.batchNormalization({ name: 'bn_Conv1' }),
        tf.layers.flatten(),
        tf.layers.dense({ units: 2, name: 'predictions' }),
      ],
    });
    const file = join(dir, 'model.json');
    const handler = tf.io.withSaveHandler(async ({ modelTopology, weightSpecs, weightData }) => {
      const manifest = [{ paths: ['a.bin'], weights: weightSpecs }];
      await writeFile(file, JSON.stringify({ format: 'layers-model', modelTopology, weightsManifest: manifest }));
      await writeFile(join(dir, 'a.bin'), new Uint8Array(weightData as ArrayBuffer));
      return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } };
    });
    await model.save(handler);
    return { file, model };
  }

  it('has its weights by layer and variable, with the values of tfjs', async () => {
    const { file, model } = await saveModel();
    const { format, tensors } = await readTfjs(file);
    expect(format).toBe('layers-model');
    expect([...tensors.keys()]).toEqual(model.weights.map(({ originalName }) => originalName));
    for (const weight of model.weights) {
      const tensor = tensors.get(weight.originalName);
      expect(tensor?.shape).toEqual(weight.shape);
      expect(tensor?.data).toEqual(await weight.read().data());
    }
    model.dispose();
  });

  it('lacks a shard', async () => {
    const { file } = await saveModel();
    await writeFile(join(dir, 'a.bin'), new Uint8Array(8));
    const error = (await readTfjs(file).catch((thrown: unknown) => thrown)) as FinetuneError;
    expect(error.problems).toMatchObject([{ code: 'E_TFJS_SHARD', where: { file } }]);
  });
});
