import type { Params } from '../graph/params.js';
import type { Backend } from './backend.js';
import { compileEager } from './eager/eager.js';
import type { Session } from './engine.js';
import type { Programs } from '../graph/program.js';
import { compilePadded } from './padded.js';
import { compileSession } from './libtensorflow/session.js';

/** Prepares programs to run on a backend: as one TensorFlow graph if it can run graphs, else kernel by kernel.
 *  `constants` are parameters with fixed values: they can be read by name, but not written. */
export async function compile(programs: Programs, backend: Backend, constants: Params = new Map()): Promise<Session> {
  if (backend.compiled) {
    return compilePadded(programs, constants, (padded, fixed) => compileSession(padded, backend, fixed));
  }
  const session = await compileEager(programs, backend);
  await session.write(constants);
  return session;
}
