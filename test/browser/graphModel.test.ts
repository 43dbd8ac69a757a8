import { afterAll, beforeAll, expect } from '@jest/globals';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openBackend } from '../../src/engine/backend.js';
import { compile } from '../../src/engine/compile.js';
import { emitInference } from '../../src/tensorflow/inference.js';
import { encodeGraphModel } from '../../src/tensorflow/tfjs/graphModel.js';
import { tfjsRules } from '../../src/tensorflow/tfjs/rules.js';
import { temporaryFolder } from '../data/temporaryFolder.js';
import { distance, feeds, labels, params, program } from '../tensorflow/allOps.js';
import { inBrowserSlowly, openPage, type Page } from './chromium.js';

/** Graph models in a page, on TensorFlow.js's backend WebGL. */

const folder = temporaryFolder();
let page: Page;
const code = `
import * as tf from '@tensorflow/tfjs';
export async function run(feeds, names) {
  await tf.setBackend('webgl');
  const model = await tf.loadGraphModel('/ops/model.json');
  const fed = feeds.map(([name, values, shape, dtype]) => [name, tf.tensor(values.map((value) => value ?? NaN), shape, dtype)]);
  const found = await model.executeAsync(Object.fromEntries(fed), names);
  const values = await Promise.all(found.map((one) => one.data()));
  return { backend: tf.getBackend(), values: values.map((one) => [...one]) };
}
`;

beforeAll(async () => {
  mkdirSync(join(folder, 'ops'));
  if (process.env.FINETUNE_SLOW !== '1') return;
  const { json, shards } = encodeGraphModel(emitInference(program, params, tfjsRules), () => 'float32');
  writeFileSync(join(folder, 'ops', 'model.json'), JSON.stringify(json));
  for (const [name, bytes] of shards) writeFileSync(join(folder, 'ops', name), bytes);
  page = await openPage({ code, folders: { ops: join(folder, 'ops') }, webgl: true });
}, 120_000);
afterAll(() => (page as Page | undefined)?.close());

inBrowserSlowly(
  'WebGL computes every op of a graph model as the portable engine does',
  async () => {
    const portable = await compile({ program }, await openBackend({ engine: 'wasm' }));
    await portable.write(params);
    const expected = await portable.run('program', feeds);
    portable.dispose();
    const inputs = emitInference(program, params, tfjsRules).inputs.map(({ key, shape, dtype }) => [
      key,
      [...feeds[key]!],
      shape,
      dtype,
    ]);
    const names = Object.keys(expected);
    const found = await page.call<{ backend: string; values: number[][] }>('run', inputs, names);
    expect(found.backend).toBe('webgl');
    const wrong = names.filter((name, i) => !(distance(found.values[i]!, expected[name]!) < 1e-4));
    expect(wrong.map((name) => labels.get(name) ?? name)).toEqual([]);
  },
  300_000,
);
