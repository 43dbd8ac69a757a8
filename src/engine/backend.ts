import type * as Wasm from '@tensorflow/tfjs-backend-wasm';
import type * as Tfjs from '@tensorflow/tfjs-core';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { dirname, sep } from 'node:path';
import { FinetuneError } from '../errors.js';
import { createGraphDef } from '../tensorflow/graphDef.js';
import { hasAvx2Alone } from './cpu.js';
import type { WorkersMean } from './engine.js';
import { fixedChoice, INFERENCE_ENGINES, machineChoices, type EngineChoices } from './inference/choices.js';
import { findLibrary } from './install/findLibrary.js';
import { explainNoGpu } from './install/gpu.js';
import { readEngineRecord } from './install/record.js';
import { SETUP } from './install/setupCommand.js';
import { GPU_SOURCES } from './install/wheels.js';
import type { SessionConfig } from './libtensorflow/config.js';
import { loadTensorFlow, type TensorFlow } from './libtensorflow/library.js';
import { openRunner } from './libtensorflow/runner.js';
import { ENGINES, type EngineName } from './names.js';
import { loadOnnxRuntime } from './onnxRuntime/runtime.js';

interface Common {
  /** Version of TensorFlow's C library, or of the wasm package. */
  readonly version: string;
  /** Why this engine was chosen and no better one, as text to print. */
  readonly reason: string;
  readonly threads: number;
  /** The better engines, each with the reason why it is not in use. */
  readonly obstacles: readonly Obstacle[];
  /** Decides which engine computes programs without updates (compileInference). Undefined: always this one, because a
   *  person has named it, or because it is a GPU. */
  readonly choices: EngineChoices | undefined;
}
/** TensorFlow's C library, which runs a whole program in one call. */
export interface CompiledBackend extends Common {
  readonly name: 'tensorflow-gpu' | 'tensorflow';
  readonly compiled: true;
  readonly tensorflow: TensorFlow;
  readonly config: SessionConfig;
  /** Whether gradients of filters are computed as products of matrices (src/tensorflow/convolutions.ts): faster on AVX2 CPUs. */
  readonly prefersMatrices: boolean;
  /** Present where several workers train together. */
  readonly workersMean?: WorkersMean;
}
/** Kernels in WebAssembly, with one call for each. */
export interface PortableBackend extends Common {
  readonly name: 'wasm';
  readonly compiled: false;
  /** The module tfjs-core. Only engine/ knows its type: types of the public API that reach the declarations of tfjs would
   *  bring a user's compiler the conflicts of those with TypeScript's own. */
  readonly tf: object;
}
/** ONNX Runtime, which cannot train. */
export interface InferenceBackend extends Common {
  readonly name: 'onnxruntime';
  readonly compiled: true;
}
export type Backend = CompiledBackend | PortableBackend | InferenceBackend;

/** Why an engine cannot be used here, and how to fix that. */
export interface Obstacle {
  readonly engine: EngineName;
  readonly why: string;
  readonly fix: string;
}
const isObstacle = (result: Backend | Obstacle): result is Obstacle => 'why' in result;

const require = createRequire(import.meta.url);

export interface BackendOptions {
  readonly engine?: EngineName | 'auto';
  /** Threads to compute with. `auto`, the default: as many as there are processors. wasm always has one. */
  readonly threads?: number | 'auto';
}

/** What the functions that open one engine are given. */
interface Opening {
  /** Why no other engine may be taken, if a person asked for this one. */
  readonly forced: string | undefined;
  readonly obstacles: readonly Obstacle[];
  readonly threads: number | undefined;
}

/** Opens an engine: the requested engine, or the best one that works.
 *  Throws E_ENGINE_UNAVAILABLE, with the reason, if the requested engine does not work here; E_ENGINE_UNKNOWN for other names. */
export async function openBackend({ engine = 'auto', threads = 'auto' }: BackendOptions = {}): Promise<Backend> {
  if (engine !== 'auto' && !ENGINES.includes(engine)) {
    const fix = `use one of auto, ${ENGINES.join(', ')}`;
    throw new FinetuneError({ code: 'E_ENGINE_UNKNOWN', message: `there is no engine "${engine as string}"`, fix });
  }
  const forced = engine === 'auto' ? undefined : `--engine ${engine} asks for it`;
  const obstacles: Obstacle[] = [];
  const opening = { forced, obstacles, threads: threads === 'auto' ? undefined : threads };
  for (const name of ENGINES) {
    if (engine !== 'auto' && name !== engine) {
      obstacles.push({ engine: name, why: `--engine ${engine} asks for another`, fix: 'leave --engine out' });
      continue;
    }
    if (engine === 'auto' && name === 'onnxruntime') continue; // it cannot train: compileInference turns to it
    const result = await open(name, opening);
    if (!isObstacle(result)) return result;
    if (forced)
      throw new FinetuneError({
        code: 'E_ENGINE_UNAVAILABLE',
        message: `engine ${name}: ${result.why}`,
        fix: result.fix,
      });
    obstacles.push(result);
  }
  throw new FinetuneError({ code: 'E_INTERNAL', message: 'internal: the wasm engine did not open' });
}

function open(name: EngineName, opening: Opening): Promise<Backend | Obstacle> {
  if (name === 'wasm') return openWasm(opening);
  return name === 'onnxruntime' ? openOnnxRuntime(opening) : openCompiled(name, opening);
}

/** The library that this process has loaded. Two of different versions cannot share a process. */
let loaded: TensorFlow | undefined;

async function openCompiled(
  name: CompiledBackend['name'],
  { forced, obstacles, threads }: Opening,
): Promise<CompiledBackend | Obstacle> {
  const gpu = name === 'tensorflow-gpu';
  const library = findLibrary(gpu ? { sources: GPU_SOURCES } : {});
  if (!library) return notInPlace(name);
  process.env.TF_CPP_MIN_LOG_LEVEL ??= '2'; // errors only. TensorFlow reads these variables when it is loaded.
  // By default TensorFlow uses oneDNN only on CPUs with AVX-512 VNNI or newer. Without oneDNN it has no gradients of grouped and dilated
  // convolutions.
  process.env.TF_ENABLE_ONEDNN_OPTS ??= '1';
  // Otherwise the threads of CropAndResize's gradient overwrite each other's sums. A GPU adds atomically and has no such mode.
  if (!gpu) process.env.TF_DETERMINISTIC_OPS ??= '1';
  try {
    loaded ??= loadTensorFlow(library.main);
  } catch (error) {
    return { engine: name, why: (error as Error).message.split('\n')[0]!, fix: SETUP };
  }
  const tensorflow = loaded;
  const version = tensorflow.version();
  const config: SessionConfig = { threads, gpu };
  if (gpu && !(await hasGpu(tensorflow, config))) return { engine: name, ...explainNoGpu() };
  return {
    name,
    compiled: true,
    tensorflow,
    config,
    version,
    reason: forced ?? (gpu ? 'a GPU is usable' : 'compiled, on the CPU'),
    threads: threads ?? availableParallelism(),
    obstacles,
    choices: forced === undefined && !gpu ? choicesHere([version, threads ?? availableParallelism()]) : undefined,
    prefersMatrices: !gpu && hasAvx2Alone(),
  };
}

async function hasGpu(tensorflow: TensorFlow, config: SessionConfig): Promise<boolean> {
  const runner = await openRunner(tensorflow, createGraphDef().finish(), config);
  try {
    return (await runner.deviceTypes()).includes('GPU');
  } finally {
    runner.close();
  }
}

/** The engine that the environment names, or what was measured on this machine. */
function choicesHere(context: readonly unknown[]): EngineChoices {
  const named = process.env.FINETUNE_INFERENCE_ENGINE;
  if (named === undefined || named === '') return machineChoices(context);
  const engine = INFERENCE_ENGINES.find((name) => name === named);
  if (engine) return fixedChoice(engine);
  const message = `FINETUNE_INFERENCE_ENGINE is "${named}"`;
  throw new FinetuneError({ code: 'E_ENGINE_UNKNOWN', message, fix: `use one of ${INFERENCE_ENGINES.join(', ')}` });
}

async function openOnnxRuntime({ forced, obstacles, threads }: Opening): Promise<InferenceBackend | Obstacle> {
  try {
    const { version } = await loadOnnxRuntime();
    return {
      name: 'onnxruntime',
      compiled: true,
      version,
      reason: forced ?? 'compiled, on the CPU',
      threads: threads ?? availableParallelism(),
      obstacles,
      choices: undefined,
    };
  } catch (error) {
    if (!(error instanceof FinetuneError)) throw error;
    const { message, fix = '' } = error.problems[0]!;
    return { engine: 'onnxruntime', why: message, fix };
  }
}

async function openWasm({ forced, obstacles }: Opening): Promise<PortableBackend> {
  const tf = require('@tensorflow/tfjs-core') as typeof Tfjs;
  const wasm = require('@tensorflow/tfjs-backend-wasm') as typeof Wasm;
  wasm.setWasmPaths(dirname(require.resolve('@tensorflow/tfjs-backend-wasm')) + sep);
  await use(tf, 'wasm');
  const why = obstacles.find(({ engine }) => engine === 'tensorflow');
  const reason = forced ?? `training is about 10x slower than with tensorflow: ${why?.why ?? ''}; ${why?.fix ?? ''}`;
  const threads = 1; // tfjs has no wasm threads in Node
  const version = wasm.version_wasm;
  const choices = forced === undefined ? fixedChoice('onnxruntime') : undefined;
  return { name: 'wasm', compiled: false, tf, version, reason, threads, obstacles, choices };
}

/** Makes tfjs compute with a backend. `setBackend` can return false, and tfjs then continues with another backend. */
async function use(tf: Pick<typeof Tfjs, 'setBackend' | 'ready' | 'getBackend'>, name: string): Promise<void> {
  const done = await tf.setBackend(name);
  await tf.ready();
  if (done && tf.getBackend() === name) return;
  const message = `internal: tfjs computes with "${tf.getBackend()}" and not with "${name}"`;
  throw new FinetuneError({ code: 'E_ENGINE_UNAVAILABLE', message });
}

/** The obstacle of an engine whose library is not on the disk. */
function notInPlace(engine: CompiledBackend['name']): Obstacle {
  if (engine === 'tensorflow-gpu') return { engine, ...explainNoGpu() };
  const failed = readEngineRecord()?.failed ?? [];
  if (failed.length === 0) return { engine, why: 'its library has not been set up', fix: SETUP };
  return { engine, why: failed.map(({ why }) => why).join('; '), fix: failed.map(({ fix }) => fix).join(', or ') };
}
