import type * as Tfjs from '@tensorflow/tfjs';
import { openBackend } from '../src/engine/backend.js';
import { compileEager } from '../src/engine/eager/eager.js';
import type { Session } from '../src/engine/engine.js';
import type { Programs } from '../src/graph/program.js';
import { compileSession } from '../src/engine/session.js';
import { FinetuneError } from '../src/errors.js';

/** An engine that works here, for tests that are to hold on every one. */
export interface TestEngine {
  readonly name: 'wasm' | 'tensorflow';
  readonly tf: typeof Tfjs;
  readonly compile: (programs: Programs) => Promise<Session>;
}

const compilers = { wasm: compileEager, tensorflow: compileSession } as const;

async function openEngine(name: TestEngine['name']): Promise<TestEngine | undefined> {
  try {
    const { tf } = await openBackend({ engine: name });
    // Opened again each time: tfjs has one current backend, and another engine's test may have taken its place.
    const compile = async (programs: Programs): Promise<Session> =>
      compilers[name](programs, await openBackend({ engine: name }));
    return { name, tf, compile };
  } catch (error) {
    const missing = error instanceof FinetuneError && error.code === 'E_ENGINE_UNAVAILABLE';
    if (!missing || name === 'wasm') throw error;
    console.warn(`no tests on ${name}: ${error.message}`);
    return undefined;
  }
}

/** wasm always, and tensorflow where it is installed; a warning says so where it is not. */
export async function openEngines(): Promise<readonly TestEngine[]> {
  const engines = [await openEngine('wasm'), await openEngine('tensorflow')];
  return engines.filter((engine) => engine !== undefined);
}
