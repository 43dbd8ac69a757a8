import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { explainNoGpu } from '../../../src/engine/install/gpu.js';
import type { Machine } from '../../../src/engine/install/wheels.js';

let folder: string;
let machine: Machine;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'gpu-'));
  machine = { env: { XDG_CACHE_HOME: folder, PATH: join(folder, 'bin') }, platform: 'linux', arch: 'x64' };
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

test('what is missing for a GPU is named step by step, with the command that adds it', () => {
  const pip = `pip install --upgrade --target "${folder}/tfjs-finetune/gpu-2.21.0" "tensorflow[and-cuda]==2.21.0"`;
  const npm = 'npm install @tensorflow/tfjs-node-gpu --ignore-scripts=false';
  const none = explainNoGpu(machine, false);
  expect(none.why).toMatch(/no NVIDIA GPU is seen/);
  expect(none.fix).toContain('driver');

  const seen = explainNoGpu(machine, true);
  expect(seen.why).toMatch(/an NVIDIA GPU is here/);
  for (const part of [pip, npm]) expect(seen.fix).toContain(part);

  const parts = 'cublas cuda_cupti cuda_nvcc cuda_nvrtc cuda_runtime cufft curand cusolver cusparse nvjitlink'.split(
    ' ',
  );
  const gpu = join(folder, 'tfjs-finetune', 'gpu-2.21.0');
  for (const part of ['tensorflow', ...parts.map((name) => `nvidia/${name}`)])
    mkdirSync(join(gpu, part), { recursive: true });
  expect(explainNoGpu(machine, true)).toEqual({
    why: "TensorFlow's library for the GPU lacks nvidia-cudnn-cu12, nvidia-nccl-cu12",
    fix: pip,
  });
  for (const part of ['cudnn', 'nccl']) mkdirSync(join(gpu, 'nvidia', part));
  expect(explainNoGpu(machine, true).fix).toContain('nvidia-smi');
});

test('nvidia-smi in PATH tells of a GPU', () => {
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  expect(explainNoGpu({ ...machine, platform: 'win32' }).why).toMatch(/no NVIDIA GPU/);
  writeFileSync(join(bin, 'nvidia-smi.exe'), '');
  const { why, fix } = explainNoGpu({ ...machine, platform: 'win32' });
  expect(why).toMatch(/an NVIDIA GPU is here/);
  expect(fix).not.toContain('pip');
  expect(explainNoGpu({ ...machine, platform: 'darwin' }).fix).toBe('use the engine tensorflow');
});
