import { availableParallelism } from 'node:os';
import { pathToFileURL } from 'node:url';
import { FinetuneError } from '../../errors.js';
import type { DType, Shape } from '../../graph/spec.js';
import type { Feed } from '../engine.js';
import { findOnnxRuntime } from '../install/onnxRuntime.js';
import { SETUP } from '../install/setupCommand.js';

/** The part of onnxruntime-node that is used here, in words of our own: types of the public API must not reach the
 *  package's declarations. */

export interface Tensor {
  readonly data: unknown;
  dispose?(): void;
}
export interface RuntimeSession {
  run(feeds: Readonly<Record<string, Tensor>>): Promise<Readonly<Record<string, Tensor>>>;
  release(): Promise<void>;
}
interface Module {
  readonly env: { logLevel?: string; readonly versions: { readonly node?: string } };
  readonly Tensor: new (type: DType, data: Feed, shape: Shape) => Tensor;
  readonly InferenceSession: { create(model: Uint8Array, options: object): Promise<RuntimeSession> };
}

export interface OnnxRuntimeOptions {
  /** Threads that compute one node together; default: one for each processor. */
  readonly threads?: number;
  /** Whether threads that wait for work keep a processor busy for a moment, so that they go on at once; default true.
   *  Where another engine computes in turn with this one, they take its processors. */
  readonly spins?: boolean;
}

export interface OnnxRuntime {
  readonly version: string;
  tensor(dtype: DType, data: Feed, shape: Shape): Tensor;
  /** Loads the bytes of an .onnx file. Throws E_ONNX_RUNTIME. */
  open(model: Uint8Array, options?: OnnxRuntimeOptions): Promise<RuntimeSession>;
}

const because = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** The error that an exception of the runtime becomes. */
export const runtimeError = (doing: string, error: unknown): FinetuneError =>
  new FinetuneError(
    { code: 'E_ONNX_RUNTIME', message: `ONNX Runtime failed to ${doing}: ${because(error)}` },
    { cause: error },
  );

/** Loads ONNX Runtime, when it is first needed. Throws E_ENGINE_UNAVAILABLE. */
export async function loadOnnxRuntime(): Promise<OnnxRuntime> {
  const module = await load();
  module.env.logLevel = 'fatal'; // every error is thrown, too
  return {
    version: module.env.versions.node ?? 'unknown',
    tensor: (dtype, data, shape) => new module.Tensor(dtype, data, shape),
    async open(model, { threads = availableParallelism(), spins = true } = {}) {
      try {
        return await module.InferenceSession.create(model, {
          executionProviders: ['cpu'],
          graphOptimizationLevel: 'all',
          executionMode: 'sequential',
          interOpNumThreads: 1,
          intraOpNumThreads: threads,
          enableCpuMemArena: true,
          enableMemPattern: true,
          logSeverityLevel: 4,
          extra: { session: { intra_op: { allow_spinning: spins ? '1' : '0' } } },
        });
      } catch (error) {
        throw runtimeError('load the model', error);
      }
    },
  };
}

async function load(): Promise<Module> {
  const file = findOnnxRuntime();
  if (file === undefined) throw unavailable('ONNX Runtime has not been set up');
  try {
    return (await import(pathToFileURL(file).href)) as Module;
  } catch (error) {
    throw unavailable(`ONNX Runtime cannot be loaded: ${because(error)}`, error);
  }
}

const unavailable = (message: string, cause?: unknown): FinetuneError =>
  new FinetuneError({ code: 'E_ENGINE_UNAVAILABLE', message, fix: `${SETUP}, or choose another engine` }, { cause });
