import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { gpuDirectory, machineOf, WHEEL_VERSION, type Machine } from './wheels.js';

/** The packages that TensorFlow's wheel for Linux on x64 names in its extra `and-cuda`, by their folders in `nvidia/`, where its
 *  library looks for them (its RUNPATH). */
const PARTS = [
  ...['cublas', 'cuda_cupti', 'cuda_nvcc', 'cuda_nvrtc', 'cuda_runtime', 'cudnn'],
  ...['cufft', 'curand', 'cusolver', 'cusparse', 'nccl', 'nvjitlink'],
];
const PACKAGE = 'npm install @tensorflow/tfjs-node-gpu --ignore-scripts=false (CUDA 11.2, cuDNN 8.1)';

/** Says why no GPU computes here, and what to do about it, by what lies on the disk: it loads nothing. */
export function explainNoGpu(
  machine: Machine = machineOf(),
  hasDevice = seesNvidia(machine),
): { why: string; fix: string } {
  const { platform, arch } = machine;
  const directory = gpuDirectory(machine);
  const pip = `pip install --upgrade --target "${directory}" "tensorflow[and-cuda]==${WHEEL_VERSION}"`;
  const hasWheel = platform === 'linux' && arch === 'x64';
  const ways = hasWheel ? `${pip}, or ${PACKAGE}` : PACKAGE;
  if (platform === 'darwin') return { why: 'TensorFlow computes on no GPU of macOS', fix: 'use the engine tensorflow' };
  if (!hasDevice)
    return {
      why: 'no NVIDIA GPU is seen here (neither /dev/nvidia0 nor nvidia-smi)',
      fix: 'if there is one, install its driver; `finetune doctor` then tells what else is missing',
    };
  if (!hasWheel || !existsSync(join(directory, 'tensorflow')))
    return { why: "an NVIDIA GPU is here, but TensorFlow's library for it is not", fix: ways };
  const missing = PARTS.filter((part) => !existsSync(join(directory, 'nvidia', part)));
  if (missing.length > 0) {
    const names = missing.map((part) => `nvidia-${part.replaceAll('_', '-')}-cu12`).join(', ');
    return { why: `TensorFlow's library for the GPU lacks ${names}`, fix: pip };
  }
  return {
    why: 'TensorFlow finds no usable GPU',
    fix: 'check `nvidia-smi`: the driver must be that of CUDA 12.5 or newer',
  };
}

/** Whether the driver of an NVIDIA GPU is here. */
function seesNvidia({ env, platform }: Machine): boolean {
  if (platform === 'linux' && existsSync('/dev/nvidia0')) return true;
  const name = platform === 'win32' ? 'nvidia-smi.exe' : 'nvidia-smi';
  return (env.PATH ?? '').split(delimiter).some((folder) => folder !== '' && existsSync(join(folder, name)));
}
