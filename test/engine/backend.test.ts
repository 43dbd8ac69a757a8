import { describe, expect, test } from '@jest/globals';
import { formatReport } from '../../src/cli/doctor.js';
import { featuresIn } from '../../src/engine/cpu.js';
import { openBackend, type Backend } from '../../src/engine/backend.js';
import { ENGINES, type EngineName } from '../../src/engine/names.js';
import { findLibrary } from '../../src/engine/install/findLibrary.js';
import { readEngineRecord } from '../../src/engine/install/record.js';
import { compile } from '../../src/engine/compile.js';
import * as b from '../../src/graph/builder.js';
import { FinetuneError } from '../../src/errors.js';

const isCompiled = findLibrary() !== undefined;
const hasGpuPackage = findLibrary({ sources: ['tfjs-node-gpu'] }) !== undefined;

/** 1×3×3×2 image · 2×2 kernel, checked by hand: each output is the sum of its 2×2 window over both channels. */
async function convolve(backend: Backend): Promise<number[]> {
  const graph = b.createGraph();
  const image = b.input(graph, 'image', [1, 3, 3, 2]);
  const ones = b.constant(graph, new Array<number>(8).fill(1), [2, 2, 2, 1]);
  const y = b.conv(image, ones, { stride: 1, padding: [[0, 0], [0, 0]], dilation: 1 }); // prettier-ignore
  const session = await compile({ run: { outputs: { y } } }, backend);
  const results = await session.run('run', { image: Float32Array.from({ length: 18 }, (_, i) => i) });
  session.dispose();
  return [...results.y!];
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
    expect(backend.obstacles.map(({ engine }) => engine)).toEqual(ENGINES.slice(0, ENGINES.indexOf(backend.name)));
    for (const { why, fix } of backend.obstacles) expect(`${why}|${fix}`).toMatch(/^.+\|.+$/);
    expect(await convolve(backend)).toEqual(CONVOLVED);
  });

  test('wasm works everywhere, on one thread', async () => {
    const backend = await openBackend({ engine: 'wasm' });
    expect(backend).toMatchObject({ name: 'wasm', compiled: false, threads: 1 });
    expect(await convolve(backend)).toEqual(CONVOLVED);
  });

  (isCompiled ? test : test.skip)('tensorflow names the version of its library', async () => {
    const backend = await openBackend({ engine: 'tensorflow' });
    if (!backend.compiled) throw new Error('unreachable');
    expect(backend.version).toBe(readEngineRecord()?.libtensorflow ?? backend.version);
    expect(backend.version).toMatch(/^2\.\d+\.\d+/);
    expect(await convolve(backend)).toEqual(CONVOLVED);
  });

  (isCompiled ? test : test.skip)('engines can alternate in one process', async () => {
    for (const engine of ['tensorflow', 'wasm', 'tensorflow'] as const) {
      const backend = await openBackend({ engine });
      expect(backend.name).toBe(engine);
      expect(await convolve(backend)).toEqual(CONVOLVED);
    }
  });

  (hasGpuPackage ? test.skip : test)('a GPU asked for and not there is an error with a remedy', async () => {
    const error = await failure('tensorflow-gpu');
    expect(error.code).toBe('E_ENGINE_UNAVAILABLE');
    expect(error.problems[0]!.fix).toMatch(/driver|npm install @tensorflow\/tfjs-node-gpu/);
  });

  test('another name is an error that lists the names', async () => {
    const error = await failure('cuda');
    expect(error.code).toBe('E_ENGINE_UNKNOWN');
    for (const name of ENGINES) expect(error.problems[0]!.fix).toContain(name);
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
      onnxRuntime: { version: '1.30.0', obstacle: 'no library' },
      cpu: { model: 'Test', cores: 4, features: ['AVX2'] },
      memory: { totalBytes: 8e9, availableBytes: 4e9 },
      node: '20.0.0',
      platform: 'linux x64',
      gflops: 4.2,
    });
    expect(text).toMatch(/^engine +wasm 4\.22\.0.*10x slower/);
    expect(text).toMatch(/not tensorflow: there is no C\+\+ compiler\n +→ apt-get install g\+\+/);
    expect(text).toMatch(/^onnx +ONNX Runtime 1\.30\.0, by its JavaScript.*\(no library\)$/m);
    expect(text).toMatch(/4\.2 GFLOP\/s/);
  });
});
