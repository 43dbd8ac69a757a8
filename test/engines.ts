import { openBackend, type PortableBackend } from '../src/engine/backend.js';
import { compileEager } from '../src/engine/eager/eager.js';
import type { Session } from '../src/engine/engine.js';
import type { Programs } from '../src/graph/program.js';
import { compileSession } from '../src/engine/libtensorflow/session.js';
import { compileOnnx } from '../src/engine/onnxRuntime/session.js';
import { FinetuneError } from '../src/errors.js';

/** An engine that computes programs without updates. */
export interface InferenceEngine {
  readonly name: string;
  readonly compile: (programs: Programs) => Promise<Session>;
}

/** An engine that works on this machine, for tests that must pass on every engine. */
export interface TestEngine {
  readonly name: 'wasm' | 'tensorflow';
  readonly compile: (programs: Programs) => Promise<Session>;
}

async function openEngine(name: TestEngine['name']): Promise<TestEngine | undefined> {
  try {
    const backend = await openBackend({ engine: name });
    return {
      name,
      compile: (programs) =>
        backend.name === 'tensorflow'
          ? compileSession(programs, backend)
          : compileEager(programs, backend as PortableBackend),
    };
  } catch (error) {
    const missing = error instanceof FinetuneError && error.code === 'E_ENGINE_UNAVAILABLE';
    if (!missing || name === 'wasm') throw error;
    console.warn(`The tests skip the ${name} engine: ${error.message}`);
    return undefined;
  }
}

/** The wasm engine, and the tensorflow engine after it where that is installed. Where it is not, a warning says so. */
export async function openEngines(): Promise<readonly TestEngine[]> {
  const engines = [await openEngine('wasm'), await openEngine('tensorflow')];
  return engines.filter((engine) => engine !== undefined);
}

/** The same engines, and ONNX Runtime, which does not train. */
export async function openInferenceEngines(): Promise<readonly InferenceEngine[]> {
  const onnx: InferenceEngine = {
    name: 'onnxRuntime',
    compile: (programs) => compileOnnx(programs, new Map(), { threads: 1 }),
  };
  return [...(await openEngines()), onnx];
}
