import type { Params } from '../graph/params.js';
import type { Backend } from './backend.js';
import { compileEager } from './eager/eager.js';
import type { Session } from './engine.js';
import type { Programs } from '../graph/program.js';
import { compilePadded } from './padded.js';
import { compileSession } from './session.js';

/** Programs made ready on the given backend: one TensorFlow graph where it can run one, else kernel by kernel.
 *  `constants` are parameters with fixed values: read by name, never written. */
export async function compile(programs: Programs, backend: Backend, constants: Params = new Map()): Promise<Session> {
  if (backend.compiled) {
    return compilePadded(programs, constants, (padded, fixed) => compileSession(padded, backend, fixed));
  }
  const session = await compileEager(programs, backend);
  await session.write(constants);
  return session;
}
