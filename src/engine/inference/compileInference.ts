import { createHash } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { FinetuneError } from '../../errors.js';
import type { Params } from '../../graph/params.js';
import { inputsOf, type Programs } from '../../graph/program.js';
import { sizeOf } from '../../graph/shapes.js';
import { wiringOf } from '../../graph/wiring.js';
import { checkOnnx } from '../../onnx/emit.js';
import type { Backend } from '../backend.js';
import { compile } from '../compile.js';
import type { Feeds, Session } from '../engine.js';
import { loadOnnxRuntime } from '../onnxRuntime/runtime.js';
import { compileOnnx } from '../onnxRuntime/session.js';
import type { InferenceEngine } from './choices.js';

/** A session with fixed parameters, and the engine that computes it. */
export interface InferenceSession extends Session {
  /** Name and version. */
  readonly engine: string;
}

export interface InferenceOptions {
  /** Whether another session computes in turn with this one, as a training step does with its frozen stages. */
  readonly inTurn?: boolean;
  /** Number of runs that may be under way at once and share the threads (default: 1). On few processors, runs with a
   *  thread each take less time together than one after the other with all threads. */
  readonly lanes?: number;
}

/** Compiles programs without updates on the engine that computes them faster here (inferenceEngine). */
export async function compileInference(
  programs: Programs,
  backend: Backend,
  values: Params,
  options: InferenceOptions = {},
): Promise<InferenceSession> {
  return open(await inferenceEngine(programs, backend, values), programs, backend, values, options);
}

/** The engine that computes programs without updates faster: ONNX Runtime where it can be loaded and holds their ops, or
 *  the backend's own. Which one that is gets measured once, in a second or two, and is kept (EngineChoices). A backend that
 *  a person has named computes everything itself; ONNX Runtime is always many times as fast as wasm. */
export async function inferenceEngine(programs: Programs, backend: Backend, values: Params): Promise<Engine> {
  const { choices } = backend;
  if (!choices || !(await canRun(programs))) return 'own';
  if (!backend.compiled) return 'onnxruntime';
  const program = hashOf(programs);
  const known = await choices.find(program);
  const faster = known ?? (await race(programs, backend, values));
  if (!known) await choices.keep(program, faster);
  return faster === 'onnxruntime' ? faster : 'own';
}

type Engine = 'own' | 'onnxruntime';

async function open(
  engine: Engine,
  programs: Programs,
  backend: Backend,
  values: Params,
  { inTurn = false, lanes = 1 }: InferenceOptions = {},
): Promise<InferenceSession> {
  if (engine === 'own')
    return { ...(await compile(programs, backend, values)), engine: `${backend.name} ${backend.version}` };
  const { version } = await loadOnnxRuntime();
  const threads = Math.max(1, Math.floor(threadsOf(backend) / lanes));
  const session = await compileOnnx(programs, values, { threads, spins: !inTurn && lanes === 1 });
  return { ...session, engine: `onnxruntime ${version}` };
}

/** Threads for inference: wasm has one, but ONNX Runtime computes in its place. */
export const threadsOf = (backend: Backend): number => (backend.compiled ? backend.threads : availableParallelism());

/** Whether ONNX Runtime can be loaded, and computes these programs. */
async function canRun(programs: Programs): Promise<boolean> {
  try {
    checkOnnx(programs);
    await loadOnnxRuntime();
    return true;
  } catch (error) {
    if (error instanceof FinetuneError) return false;
    throw error;
  }
}

const hashOf = (programs: Programs): string =>
  createHash('sha256')
    .update(JSON.stringify(Object.entries(programs).map(([name, program]) => [name, wiringOf(program)])))
    .digest('hex')
    .slice(0, 16);

const ROUNDS = 3;

/** Runs the first program on both engines, in turn. */
async function race(programs: Programs, backend: Backend, values: Params): Promise<InferenceEngine> {
  const [name, program] = Object.entries(programs)[0]!;
  const feeds: Feeds = Object.fromEntries(
    inputsOf(program).map(({ name: input, shape, dtype }) => [
      input,
      dtype === 'float32'
        ? new Float32Array(sizeOf(shape)).fill(0.5)
        : new (dtype === 'int32' ? Int32Array : Uint8Array)(sizeOf(shape)),
    ]),
  );
  const [ours, onnx] = [
    await open('own', programs, backend, values),
    await open('onnxruntime', programs, backend, values),
  ];
  const times = { ours: Infinity, onnx: Infinity };
  const time = async (session: InferenceSession): Promise<number> => {
    const start = performance.now();
    await session.run(name, feeds);
    return performance.now() - start;
  };
  try {
    for (let round = 0; round <= ROUNDS; round++) {
      const [a, b] = [await time(ours), await time(onnx)];
      if (round === 0) continue; // the first run prepares
      times.ours = Math.min(times.ours, a);
      times.onnx = Math.min(times.onnx, b);
    }
  } finally {
    ours.dispose();
    onnx.dispose();
  }
  return times.onnx < times.ours ? 'onnxruntime' : 'tensorflow';
}
