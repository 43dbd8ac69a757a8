import type { Backend } from './backend.js';
import { compileEager } from './eager.js';
import type { Programs, Session } from './engine.js';
import { compileSession } from './session.js';

/** Programs made ready on the given backend: one TensorFlow graph where it can run one, else kernel by kernel. */
export function compile(programs: Programs, backend: Backend): Promise<Session> {
  return backend.compiled ? compileSession(programs, backend) : compileEager(programs, backend);
}
