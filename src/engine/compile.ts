import { FinetuneError } from '../errors.js';
import type { Params } from '../graph/params.js';
import type { Programs } from '../graph/program.js';
import type { Backend } from './backend.js';
import { compileEager } from './eager/eager.js';
import type { Session } from './engine.js';
import { compileSession } from './libtensorflow/session.js';
import { compileOnnx } from './onnxRuntime/session.js';
import { compilePadded } from './padded.js';

/** Prepares programs to run on a backend. `constants` are parameters with fixed values: they can be read by name, but not
 *  written. Throws E_ENGINE_TRAINING for programs that update parameters on an engine that cannot train. */
export async function compile(programs: Programs, backend: Backend, constants: Params = new Map()): Promise<Session> {
  if (backend.name === 'wasm') {
    const session = await compileEager(programs, backend);
    await session.write(constants);
    return session;
  }
  if (backend.name !== 'onnxruntime')
    return compilePadded(programs, constants, (padded, fixed) => compileSession(padded, backend, fixed));
  if (Object.values(programs).every(({ updates = [] }) => updates.length === 0))
    return compileOnnx(programs, constants, { threads: backend.threads });
  throw new FinetuneError({
    code: 'E_ENGINE_TRAINING',
    option: 'engine',
    message: 'ONNX Runtime computes no gradients, so it cannot train',
    fix: 'leave engine out, or set it to tensorflow',
  });
}
