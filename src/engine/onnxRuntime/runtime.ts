import { availableParallelism } from 'node:os';
import { FinetuneError } from '../../errors.js';
import type { Feed } from '../engine.js';
import { findOnnxRuntime } from '../install/onnxRuntime.js';
import { SETUP } from '../install/setupCommand.js';
import { loadNative, type NativeRuntime, type NativeTensor } from './library.js';

export interface RuntimeSession {
  /** Runs the model on a thread of its own, beside other runs, and returns the outputs of these names. */
  run(inputs: Readonly<Record<string, NativeTensor>>, outputs: readonly string[]): Promise<readonly Feed[]>;
  /** Frees the model. No run may be under way. */
  release(): void;
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
  const native = await Promise.resolve().then(load);
  return {
    version: native.version,
    async open(model, { threads = availableParallelism(), spins = true } = {}) {
      try {
        const session = await native.openSession(model, { threads, spins });
        return {
          run: (inputs, outputs) => native.run(session, inputs, outputs),
          release: () => {
            native.closeSession(session);
          },
        };
      } catch (error) {
        throw runtimeError('load the model', error);
      }
    },
  };
}

/** The library that this process has loaded. */
let loaded: NativeRuntime | undefined;

function load(): NativeRuntime {
  const file = findOnnxRuntime();
  if (file === undefined) throw unavailable('ONNX Runtime has not been set up');
  try {
    return (loaded ??= loadNative(file));
  } catch (error) {
    throw unavailable(`ONNX Runtime cannot be loaded: ${because(error)}`, error);
  }
}

const unavailable = (message: string, cause?: unknown): FinetuneError =>
  new FinetuneError({ code: 'E_ENGINE_UNAVAILABLE', message, fix: `${SETUP}, or choose another engine` }, { cause });
