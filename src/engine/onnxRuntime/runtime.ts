import { availableParallelism } from 'node:os';
import { FinetuneError } from '../../errors.js';
import { encodeOnnx } from '../../onnx/encode.js';
import type { Port } from '../../onnx/model.js';
import { findOnnxRuntime } from '../install/onnxRuntime.js';
import { SETUP } from '../install/setupCommand.js';
import type { Binding, RuntimeSession, SessionOptions } from './binding.js';
import { loadLibrary } from './library.js';
import { loadPackage } from './package.js';

/** Options of a session; default: as many threads as there are processors, which spin. Where another engine computes in
 *  turn with this one, spinning threads take its processors. */
export type OnnxRuntimeOptions = Partial<SessionOptions>;

export interface OnnxRuntime extends Pick<Binding, 'version' | 'runsAtOnce'> {
  /** Why the C API is not used, if it is not. */
  readonly obstacle: string | undefined;
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
  const main = findOnnxRuntime();
  if (main === undefined) throw unavailable('ONNX Runtime has not been set up');
  try {
    return await (loading ??= loadFrom(main));
  } catch (error) {
    loading = undefined;
    throw unavailable(`ONNX Runtime cannot be loaded: ${because(error)}`, error);
  }
}

/** Whether ONNX Runtime is there and can run several models at once. */
export const runsAtOnce = (): Promise<boolean> =>
  loadOnnxRuntime().then(
    (runtime) => runtime.runsAtOnce,
    () => false,
  );

/** What this process has loaded. */
let loading: Promise<OnnxRuntime> | undefined;

/** Loads the package whose main file this is: by its C API, or else by its JavaScript, which computes the same and can run
 *  one model at a time. Throws an Error if neither works. */
export async function loadFrom(main: string): Promise<OnnxRuntime> {
  try {
    const binding = loadLibrary(main);
    await probe(binding);
    return runtimeOf(binding, undefined);
  } catch (error) {
    return runtimeOf(loadPackage(main), because(error));
  }
}

function runtimeOf(binding: Binding, obstacle: string | undefined): OnnxRuntime {
  const { version, runsAtOnce } = binding;
  return {
    ...{ version, runsAtOnce, obstacle },
    async open(model, { threads = availableParallelism(), spins = true } = {}) {
      try {
        return await binding.open(model, { threads, spins });
      } catch (error) {
        throw runtimeError('load the model', error);
      }
    },
  };
}

/** Throws an Error if the library does not double a number: its functions are not those that are called. */
async function probe(binding: Binding): Promise<void> {
  const [x, y] = ['x', 'y'].map((name): Port => ({ key: name, name, dtype: 'float32', shape: [1] })) as [Port, Port];
  const node = { op: 'Add', name: 'double', inputs: ['x', 'x'], outputs: ['y'], attrs: {} };
  const model = encodeOnnx({ nodes: [node], initializers: [], inputs: [x], outputs: [y] });
  const session = await binding.open(model, { threads: 1, spins: false });
  const [sum] = await session.run({ x: { dtype: 'float32', shape: [1], data: Float32Array.of(21) } }, [y]);
  session.release();
  if (sum?.[0] !== 42) throw new Error('its C API computes something else');
}

const unavailable = (message: string, cause?: unknown): FinetuneError =>
  new FinetuneError({ code: 'E_ENGINE_UNAVAILABLE', message, fix: `${SETUP}, or choose another engine` }, { cause });
