import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { openBackend } from '../../src/engine/backend.js';
import { compile } from '../../src/engine/compile.js';
import { fixedChoice, machineChoices, withRunChoices } from '../../src/engine/inference/choices.js';
import { compileInference } from '../../src/engine/inference/compileInference.js';
import * as b from '../../src/graph/builder.js';

const folder = mkdtempSync(join(tmpdir(), 'inference-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

function program() {
  const graph = b.createGraph();
  const w = b.param(graph, { name: 'w', shape: [2], role: 'weight', kind: 'vector', init: { type: 'constant', value: 0 } }); // prettier-ignore
  return { double: { outputs: { y: b.mul(b.add(b.input(graph, 'x', [2]), w), 2) } } };
}
const values = new Map([['w', { shape: [2], data: Float32Array.of(1, 2) }]]);
const x = Float32Array.of(3, 4);
const y = Float32Array.of(8, 12);

describe('compileInference', () => {
  test('measures once, keeps the faster engine, and takes it the next time', async () => {
    const backend = { ...(await openBackend()), choices: machineChoices(['here'], { XDG_CACHE_HOME: folder }) };
    const session = await compileInference(program(), backend, values);
    expect(await session.run('double', { x })).toEqual({ y });
    session.dispose();
    const [file] = readdirSync(join(folder, 'tfjs-finetune'));
    if (backend.name !== 'tensorflow') return; // nothing to measure
    const [hash, chosen] = Object.entries(
      JSON.parse(readFileSync(join(folder, 'tfjs-finetune', file!), 'utf8')) as Record<string, string>,
    )[0]!;
    expect(session.engine.split(' ')[0]).toBe(chosen);
    const other = chosen === 'tensorflow' ? 'onnxruntime' : 'tensorflow';
    writeFileSync(join(folder, 'tfjs-finetune', file!), JSON.stringify({ [hash]: other }));
    const again = await compileInference(program(), backend, values);
    expect(again.engine.split(' ')[0]).toBe(other);
    expect(await again.run('double', { x })).toEqual({ y });
    again.dispose();
  });

  test('computes with the engine that a person has named, and with the other one for ops that ONNX has not', async () => {
    for (const engine of ['wasm', 'onnxruntime'] as const) {
      const session = await compileInference(program(), await openBackend({ engine }), values);
      expect(session.engine).toMatch(new RegExp(`^${engine} `));
      expect(await session.run('double', { x })).toEqual({ y });
      session.dispose();
    }
    const graph = b.createGraph();
    const drawn = b.randomUniform(b.input(graph, 'seed', [2], 'int32'), [3], 1);
    const backend = { ...(await openBackend({ engine: 'wasm' })), choices: fixedChoice('onnxruntime') };
    const session = await compileInference({ draw: { outputs: { drawn } } }, backend, new Map());
    expect(session.engine).toMatch(/^wasm /);
    session.dispose();
  });

  test('ONNX Runtime refuses to train', async () => {
    const graph = b.createGraph();
    const w = b.param(graph, { name: 'w', shape: [1], role: 'weight', kind: 'vector', init: { type: 'constant', value: 0 } }); // prettier-ignore
    const training = { train: { outputs: { w }, updates: [b.assign('w', b.neg(w))] } };
    const opened = compile(training, await openBackend({ engine: 'onnxruntime' }));
    await expect(opened).rejects.toMatchObject({ code: 'E_ENGINE_TRAINING' });
  });
});

describe('the choices of a run', () => {
  const directory = join(folder, 'run');

  test('are kept in its directory, and stay when the machine chooses otherwise', async () => {
    const first = withRunChoices({ choices: fixedChoice('onnxruntime') }, directory).choices;
    expect(await first.find('abc')).toBe('onnxruntime');
    const resumed = withRunChoices({ choices: fixedChoice('tensorflow') }, directory).choices;
    expect(await resumed.find('abc')).toBe('onnxruntime');
    expect(await resumed.find('def')).toBe('tensorflow');
  });

  test('that are damaged are an error that says so; those of the machine are measured again', async () => {
    writeFileSync(join(directory, 'engines.json'), '{"abc": "onnx');
    const { choices } = withRunChoices({ choices: fixedChoice('tensorflow') }, directory);
    await expect(choices.find('abc')).rejects.toMatchObject({ code: 'E_FILE_DAMAGED' });
    const broken = join(folder, 'tfjs-finetune');
    for (const file of readdirSync(broken)) writeFileSync(join(broken, file), 'no json');
    expect(await machineChoices(['here'], { XDG_CACHE_HOME: folder }).find('abc')).toBeUndefined();
  });
});
