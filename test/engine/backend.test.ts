import { afterAll, describe, expect, test } from '@jest/globals';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { formatReport } from '../../src/cli/doctor.js';
import { featuresIn } from '../../src/engine/cpu.js';
import { openBackend, type Backend } from '../../src/engine/backend.js';
import { ENGINES, type EngineName } from '../../src/engine/names.js';
import { bindingPath } from '../../src/engine/install/binding.js';
import { readEngineRecord } from '../../src/engine/install/install.js';
import { tfjsNodeDirectory } from '../../src/engine/install/tfjsNode.js';
import { tfjsOf } from '../../src/engine/tfjs.js';
import { FinetuneError } from '../../src/errors.js';

const tfjsNode = tfjsNodeDirectory();
const isCompiled = tfjsNode !== undefined && existsSync(bindingPath(tfjsNode));
const hasGpuPackage = existsSync(join(tfjsNode ?? '', '..', 'tfjs-node-gpu'));

/** 1×3×3×2 image · 2×2 kernel, checked by hand: each output is the sum of its 2×2 window over both channels. */
async function convolve(backend: Backend): Promise<number[]> {
  const tf = tfjsOf(backend);
  const image = tf.tensor4d(Array.from({ length: 18 }, (_, i) => i), [1, 3, 3, 2]); // prettier-ignore
  const kernel = tf.tensor4d(new Array<number>(8).fill(1), [2, 2, 2, 1]);
  const output = tf.conv2d(image, kernel, 1, 'valid');
  const values = Array.from(await output.data());
  tf.dispose([image, kernel, output]);
  return values;
}
const CONVOLVED = [36, 52, 84, 100];

async function failure(engine: string): Promise<FinetuneError> {
  const error: unknown = await openBackend({ engine: engine as EngineName }).catch((error: unknown) => error);
  expect(error).toBeInstanceOf(FinetuneError);
  return error as FinetuneError;
}

describe('openBackend', () => {
  test('auto takes the best engine that works, and says why no better one', async () => {
    const backend = await openBackend();
    if (!hasGpuPackage) expect(backend.name).toBe(isCompiled ? 'tensorflow' : 'wasm');
    expect(tfjsOf(backend).getBackend()).toBe(backend.compiled ? 'tensorflow' : 'wasm');
    expect(backend.obstacles.map(({ engine }) => engine)).toEqual(ENGINES.slice(0, ENGINES.indexOf(backend.name)));
    for (const { why, fix } of backend.obstacles) expect(`${why}|${fix}`).toMatch(/^.+\|.+$/);
    expect(await convolve(backend)).toEqual(CONVOLVED);
  });

  test('wasm works everywhere, on one thread, without leaving tensors', async () => {
    const backend = await openBackend({ engine: 'wasm' });
    expect(backend).toMatchObject({ name: 'wasm', compiled: false, threads: 1 });
    expect(tfjsOf(backend).getBackend()).toBe('wasm');
    const before = tfjsOf(backend).memory().numTensors;
    expect(await convolve(backend)).toEqual(CONVOLVED);
    expect(tfjsOf(backend).memory().numTensors).toBe(before);
  });

  (isCompiled ? test : test.skip)('tensorflow has the session API, and the version of its library', async () => {
    const backend = await openBackend({ engine: 'tensorflow' });
    if (!backend.compiled) throw new Error('unreachable');
    expect(tfjsOf(backend).getBackend()).toBe('tensorflow');
    expect(typeof tfjsOf(backend).node.loadSavedModel).toBe('function');
    expect(backend.version).toBe(readEngineRecord()?.libtensorflow ?? backend.version);
    expect(backend.version).toMatch(/^2\.\d+\.\d+/);
    expect(await convolve(backend)).toEqual(CONVOLVED);
  });

  (isCompiled ? test : test.skip)('engines can alternate in one process', async () => {
    for (const engine of ['tensorflow', 'wasm', 'tensorflow'] as const) {
      const backend = await openBackend({ engine });
      expect(tfjsOf(backend).getBackend()).toBe(engine);
      expect(await convolve(backend)).toEqual(CONVOLVED);
    }
  });

  (hasGpuPackage ? test.skip : test)('a GPU asked for and not there is an error with a remedy', async () => {
    const error = await failure('tensorflow-gpu');
    expect(error.code).toBe('E_ENGINE_UNAVAILABLE');
    expect(error.problems[0]!.fix).toMatch(/npm install @tensorflow\/tfjs-node-gpu/);
  });

  test('another name is an error that lists the names', async () => {
    const error = await failure('cuda');
    expect(error.code).toBe('E_ENGINE_UNKNOWN');
    for (const name of ENGINES) expect(error.problems[0]!.fix).toContain(name);
  });

  const util = createRequire(import.meta.url)('node:util') as Record<string, unknown>;
  const old = util.isNullOrUndefined;
  afterAll(() => {
    util.isNullOrUndefined = old;
  });
  (isCompiled ? test : test.skip)('what Node 23 took away is given back to tfjs-node', async () => {
    util.isNullOrUndefined = undefined;
    await openBackend({ engine: 'tensorflow' });
    expect(util.isNullOrUndefined).toBeInstanceOf(Function);
  });
});

describe('doctor', () => {
  test('reads CPU features from flags', () => {
    expect(featuresIn('flags : fpu avx avx2 avx512f avx512_vnni')).toEqual(['AVX2', 'AVX-512', 'AVX-512 VNNI']);
    expect(featuresIn('flags : fpu avx')).toEqual([]);
    expect(featuresIn('hw.optional.arm.AdvSIMD: 1')).toEqual(['NEON']);
  });

  test('prints each better engine with reason and remedy', () => {
    const text = formatReport({
      engine: 'wasm',
      version: '4.22.0',
      compiled: false,
      reason: '',
      threads: 1,
      betterEngines: [{ engine: 'tensorflow', why: 'there is no C++ compiler', fix: 'apt-get install g++' }],
      cpu: { model: 'Test', cores: 4, features: ['AVX2'] },
      memory: { totalBytes: 8e9, availableBytes: 4e9 },
      node: '20.0.0',
      platform: 'linux x64',
      gflops: 4.2,
    });
    expect(text).toMatch(/^engine +wasm 4\.22\.0.*10x slower/);
    expect(text).toMatch(/not tensorflow: there is no C\+\+ compiler\n +→ apt-get install g\+\+/);
    expect(text).toMatch(/4\.2 GFLOP\/s/);
  });
});
