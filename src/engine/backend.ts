import type * as Tfjs from '@tensorflow/tfjs';
import type * as TfjsNode from '@tensorflow/tfjs-node';
import type * as Wasm from '@tensorflow/tfjs-backend-wasm';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { dirname, sep } from 'node:path';
import util from 'node:util';
import { FinetuneError } from '../errors.js';
import { hasAvx2Alone } from './cpu.js';
import { readEngineRecord } from './install/install.js';
import { SETUP, tfjsNodeDirectory } from './install/tfjsNode.js';
import { ENGINES, type EngineName } from './names.js';

interface Common {
  /** The module of tfjs. Only engine/ knows its type: types of the public API that reach the declarations of tfjs would bring
   *  a user's compiler the conflicts of those with TypeScript's own. */
  readonly tf: object;
  /** Version of TensorFlow's C library, or of the wasm package. */
  readonly version: string;
  /** Why this engine was chosen and no better one, as text to print. */
  readonly reason: string;
  readonly threads: number;
  /** The better engines, each with the reason why it is not in use. */
  readonly obstacles: readonly Obstacle[];
  /** Whether gradients of filters are computed as products of matrices (src/tensorflow/convolutions.ts): faster on AVX2 CPUs. */
  readonly prefersMatrices: boolean;
}
/** TensorFlow's C library: it has eager kernels, and `tf.node`, which runs a whole graph in one call. */
interface CompiledBackend extends Common {
  readonly name: 'tensorflow-gpu' | 'tensorflow';
  readonly compiled: true;
}
/** Kernels in WebAssembly, with one call for each. */
export interface PortableBackend extends Common {
  readonly name: 'wasm';
  readonly compiled: false;
}
export type Backend = CompiledBackend | PortableBackend;

/** Why an engine cannot be used here, and how to fix that. */
export interface Obstacle {
  readonly engine: EngineName;
  readonly why: string;
  readonly fix: string;
}
const isObstacle = (result: Backend | Obstacle): result is Obstacle => 'why' in result;

const PACKAGES = { 'tensorflow-gpu': '@tensorflow/tfjs-node-gpu', tensorflow: '@tensorflow/tfjs-node' } as const;
const require = createRequire(import.meta.url);

/** Loads an engine and makes tfjs compute with it: the requested engine, or the best one that works.
 *  Throws E_ENGINE_UNAVAILABLE, with the reason, if the requested engine does not work here; E_ENGINE_UNKNOWN for other names. */
export async function openBackend({ engine = 'auto' }: { engine?: EngineName | 'auto' } = {}): Promise<Backend> {
  if (engine !== 'auto' && !ENGINES.includes(engine)) {
    const fix = `use one of auto, ${ENGINES.join(', ')}`;
    throw new FinetuneError({ code: 'E_ENGINE_UNKNOWN', message: `there is no engine "${engine as string}"`, fix });
  }
  const forced = engine === 'auto' ? undefined : `--engine ${engine} asks for it`;
  const obstacles: Obstacle[] = [];
  for (const name of ENGINES) {
    if (engine !== 'auto' && name !== engine) {
      obstacles.push({ engine: name, why: `--engine ${engine} asks for another`, fix: 'leave --engine out' });
      continue;
    }
    const result = await (name === 'wasm' ? openWasm(forced, obstacles) : openCompiled(name, forced, obstacles));
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

/** The TensorFlow that this process has loaded. Two libraries of different versions cannot share a process. */
let loaded: typeof TfjsNode | undefined;

async function openCompiled(
  name: CompiledBackend['name'],
  forced: string | undefined,
  obstacles: readonly Obstacle[],
): Promise<CompiledBackend | Obstacle> {
  if (name === 'tensorflow-gpu' && !isInstalled(PACKAGES[name])) return obstacle(name, 'not installed');
  process.env.TF_CPP_MIN_LOG_LEVEL ??= '2'; // warnings and errors only. TensorFlow reads these variables when it is loaded.
  // By default TensorFlow uses oneDNN only on CPUs with AVX-512 VNNI or newer. Without oneDNN it has no gradients of grouped and dilated
  // convolutions.
  process.env.TF_ENABLE_ONEDNN_OPTS ??= '1';
  // Otherwise the threads of CropAndResize's gradient overwrite each other's sums. A GPU adds atomically and has no such mode.
  if (name === 'tensorflow') process.env.TF_DETERMINISTIC_OPS ??= '1';
  restoreUtil();
  try {
    const where = name === 'tensorflow' ? (tfjsNodeDirectory() ?? PACKAGES[name]) : PACKAGES[name];
    loaded = (name === 'tensorflow' ? loaded : undefined) ?? (require(where) as typeof TfjsNode);
  } catch (error) {
    return obstacle(name, (error as Error).message.split('\n')[0]!);
  }
  const tf = loaded;
  await use(tf, 'tensorflow');
  const native = tf.backend() as unknown as { isUsingGpuDevice: boolean; binding: { TF_Version: string } };
  if (name === 'tensorflow-gpu' && !native.isUsingGpuDevice) return obstacle(name, 'TensorFlow finds no usable GPU');
  const reason = forced ?? (name === 'tensorflow-gpu' ? 'a GPU is usable' : 'compiled, on the CPU');
  return {
    name,
    compiled: true,
    tf,
    version: native.binding.TF_Version,
    reason,
    threads: availableParallelism(),
    obstacles,
    prefersMatrices: name === 'tensorflow' && hasAvx2Alone(),
  };
}

async function openWasm(forced: string | undefined, obstacles: readonly Obstacle[]): Promise<PortableBackend> {
  const tf = require('@tensorflow/tfjs') as typeof Tfjs;
  const wasm = require('@tensorflow/tfjs-backend-wasm') as typeof Wasm;
  wasm.setWasmPaths(dirname(require.resolve('@tensorflow/tfjs-backend-wasm')) + sep);
  await use(tf, 'wasm');
  const why = obstacles.find(({ engine }) => engine === 'tensorflow');
  const reason = forced ?? `training is about 10x slower than with tensorflow: ${why?.why ?? ''}; ${why?.fix ?? ''}`;
  const threads = 1; // tfjs has no wasm threads in Node
  const version = wasm.version_wasm;
  return { name: 'wasm', compiled: false, tf, version, reason, threads, obstacles, prefersMatrices: false };
}

/** Makes tfjs compute with a backend. `setBackend` can return false, and tfjs then continues with another backend. */
async function use(tf: Pick<typeof Tfjs, 'setBackend' | 'ready' | 'getBackend'>, name: string): Promise<void> {
  const done = await tf.setBackend(name);
  await tf.ready();
  if (done && tf.getBackend() === name) return;
  const message = `internal: tfjs computes with "${tf.getBackend()}" and not with "${name}"`;
  throw new FinetuneError({ code: 'E_ENGINE_UNAVAILABLE', message });
}

function obstacle(engine: CompiledBackend['name'], error: string): Obstacle {
  if (engine === 'tensorflow-gpu' && !isInstalled(PACKAGES[engine])) {
    const how = '--ignore-scripts=false, on a machine with an NVIDIA GPU and CUDA';
    return { engine, why: `${PACKAGES[engine]} is not installed`, fix: `npm install ${PACKAGES[engine]} ${how}` };
  }
  if (engine === 'tensorflow' && !tfjsNodeDirectory())
    return { engine, why: 'the engine is not set up in this project', fix: SETUP };
  const failed = engine === 'tensorflow' ? readEngineRecord()?.failed : undefined;
  if (!failed?.length) {
    const why = error.includes('can not be found at path') ? 'its binary has not been set up' : error; // the message of tfjs-node
    return { engine, why, fix: SETUP };
  }
  return { engine, why: failed.map(({ why }) => why).join('; '), fix: failed.map(({ fix }) => fix).join(', or ') };
}

function isInstalled(name: string): boolean {
  try {
    require.resolve(`${name}/package.json`);
    return true;
  } catch {
    return false;
  }
}

/** tfjs-node 4.22 calls two functions that Node 23 and later no longer have. */
function restoreUtil(): void {
  const old = util as unknown as Record<'isNullOrUndefined' | 'isArray', ((value: unknown) => boolean) | undefined>;
  old.isNullOrUndefined ??= (value) => value === null || value === undefined;
  old.isArray ??= Array.isArray;
}
