import { expect, test } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { exportModel } from '../../src/api/exportModel.js';
import { openBackend, type CompiledBackend } from '../../src/engine/backend.js';
import { openSavedModel } from '../../src/engine/libtensorflow/savedModel.js';
import { randomStream } from '../../src/random.js';
import { temporaryFolder } from '../data/temporaryFolder.js';
import { tinyBackbone } from '../tinyBackbone.js';
import { makeRun } from './makeRun.js';

const folder = temporaryFolder();
/** Exported models in Python's TensorFlow. TENSORFLOW_PYTHON names an interpreter that has it:
 *  python3 -m venv tf && tf/bin/pip install tensorflow==2.21.0 */
const python = process.env.TENSORFLOW_PYTHON;
const inPython = process.env.FINETUNE_SLOW === '1' && python !== undefined ? test : test.skip;

const program = `
import json, sys
import numpy as np, tensorflow as tf
folder, pixels = sys.argv[1:]
shape = json.load(open(folder + '/model-card.json'))['input']['shape']
model = tf.saved_model.load(folder).signatures['serving_default']
outputs = model(image=tf.constant(np.fromfile(pixels, 'float32').reshape(shape)))
print(json.dumps({name: value.numpy().ravel().tolist() for name, value in outputs.items()}))
`;

inPython(
  "Python's TensorFlow loads a SavedModel, and its signature returns what ours does",
  async () => {
    const run = await makeRun(
      join(folder, 'run'),
      `task: detection\ndata: { format: synthetic, root: ${folder}/drawn, train: { images: 2 }, val: { images: 2 }, size: [64, 96], categories: [fish, house] }\nmodel: { head: ssdlite, backbone: ${tinyBackbone} }\n`,
    );
    const random = randomStream(1, 'image');
    const image = Float32Array.from({ length: 64 * 96 * 3 }, () => random.integer(0, 256));
    const pixels = join(folder, 'pixels.bin');
    writeFileSync(pixels, image);
    for (const quantize of [undefined, 'float16'] as const) {
      const { directory, card } = await exportModel(run, { format: 'savedmodel', quantize });
      const backend = (await openBackend({ engine: 'tensorflow' })) as CompiledBackend;
      const session = await openSavedModel(directory, { inputs: [card.input], outputs: card.outputs }, backend);
      const expected = await session.run('evaluate', { image });
      session.dispose();
      const printed = execFileSync(python!, ['-c', program, directory, pixels], {
        maxBuffer: 2 ** 26,
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      const found = JSON.parse(printed.toString()) as Record<string, number[]>;
      expect(Object.keys(found).sort()).toEqual(Object.keys(expected).sort());
      for (const [name, values] of Object.entries(expected)) {
        const most = values.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
        const off = values.map((value, i) => Math.abs(value - found[name]![i]!));
        expect(Math.max(...off) / most).toBeLessThan(1e-4);
      }
    }
  },
  300_000,
);
