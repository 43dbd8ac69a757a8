import { describe, expect, it } from '@jest/globals';
import * as tf from '@tensorflow/tfjs';
import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { FinetuneError } from '../../src/errors.js';
import { miniData, miniSpecs, writeMiniModel } from './miniGraphModel.js';
import { readTfjs } from './readers.js';

describe('readTfjs', () => {
  it('reads every kind of array as tfjs does', async () => {
    const { tensors } = await readTfjs(await writeMiniModel());
    const golden = tf.io.decodeWeights(new Uint8Array(miniData).buffer, miniSpecs as tf.io.WeightsManifestEntry[]);
    expect([...tensors.keys()]).toEqual(Object.keys(golden));
    for (const [name, tensor] of Object.entries(golden)) {
      expect(tensors.get(name)?.shape).toEqual(tensor.shape);
      expect(Array.from(tensors.get(name)!.data as Float32Array)).toEqual(Array.from(await tensor.data()));
    }
    expect(tensors.get('text')?.data).toEqual(['ü', '']);
    tf.dispose(golden);
  });

  it('reads the nodes', async () => {
    const { nodes } = await readTfjs(await writeMiniModel());
    expect(nodes.map(({ name, op, input }) => [name, op, input])).toContainEqual(['xwb', 'BiasAdd', ['xw', 'b']]);
  });

  it('is a model that tfjs-converter runs', async () => {
    const json = JSON.parse(await readFile(await writeMiniModel(), 'utf8')) as { modelTopology: object };
    const weightData = new Uint8Array(miniData).buffer;
    const memory = { ...json, weightSpecs: miniSpecs as tf.io.WeightsManifestEntry[], weightData };
    const model = await tf.loadGraphModel(tf.io.fromMemory(memory));
    const y = model.predict(tf.tensor2d([1, 2], [1, 2])) as tf.Tensor;
    const expected = [1 + 1 - 1, 0, 3 + 2 / 3 + 1.55];
    for (const [i, value] of (await y.data()).entries()) expect(value).toBeCloseTo(expected[i]!, 5);
    model.dispose();
  });
});

describe('a broken GraphModel', () => {
  const shard = 'group1-shard2of2.bin';
  it.each([
    ['a missing shard', { [shard]: null }, 'E_TFJS_SHARD', shard],
    ['a short shard', { [shard]: miniData.subarray(10, -1) }, 'E_TFJS_SHARD', 'model.json'],
    ['a long shard', { [shard]: Buffer.concat([miniData.subarray(10), Buffer.of(0)]) }, 'E_TFJS_SHARD', 'model.json'],
    ['no JSON', { 'model.json': '{' }, 'E_TFJS_FORMAT', 'model.json'],
    ['other JSON', { 'model.json': '{"weightsManifest": []}' }, 'E_TFJS_FORMAT', 'model.json'],
    ['a Layers model without weights', { 'model.json': '{"format": "layers-model"}' }, 'E_TFJS_FORMAT', 'model.json'],
  ])('is told: %s', async (_, changes: Record<string, string | Uint8Array | null>, code, place) => {
    const { problems } = await failure(readTfjs(await writeMiniModel(changes)));
    expect(problems).toHaveLength(1);
    expect(problems[0]?.code).toBe(code);
    expect(problems[0]?.where?.file).toContain(place);
  });

  it('names all missing shards at once', async () => {
    const file = await writeMiniModel({ 'group1-shard1of2.bin': null, [shard]: null });
    expect((await failure(readTfjs(file))).problems).toHaveLength(2);
  });

  it('does not read outside its folder', async () => {
    const json = await readFile(await writeMiniModel(), 'utf8');
    const file = await writeMiniModel({ 'model.json': json.replace('group1-shard1of2.bin', '../../etc/passwd') });
    const [problem] = (await failure(readTfjs(file))).problems;
    expect(problem).toMatchObject({ code: 'E_TFJS_SHARD', where: { file: dirname(file) } });
  });
});

const failure = async (promise: Promise<unknown>): Promise<FinetuneError> =>
  (await promise.then(
    () => {
      throw new Error('it did not fail');
    },
    (error: unknown) => error,
  )) as FinetuneError;
