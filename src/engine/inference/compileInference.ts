import { createHash } from 'node:crypto';
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

/** Compiles programs without updates on the engine that computes them faster here: the backend's own, or ONNX Runtime
 *  where it can be loaded and holds their ops. Which one that is gets measured once, in a second or two, and is kept
 *  (EngineChoices). A backend that a person has named computes everything itself. */
export async function compileInference(
  programs: Programs,
  backend: Backend,
  values: Params,
): Promise<InferenceSession> {
  const runtime = backend.choices && (await runtimeFor(programs));
  const own = async (): Promise<InferenceSession> => ({
    ...(await compile(programs, backend, values)),
    engine: `${backend.name} ${backend.version}`,
  });
  if (!runtime) return own();
  const { threads } = backend;
  const onnx = async (): Promise<InferenceSession> => ({
    ...(await compileOnnx(programs, values, backend.compiled ? { threads } : {})),
    engine: `onnxruntime ${runtime.version}`,
  });
  if (!backend.compiled) return onnx(); // always many times as fast as wasm
  const open = { tensorflow: own, onnxruntime: onnx } satisfies Record<InferenceEngine, unknown>;
  const program = hashOf(programs);
  const known = await backend.choices.find(program);
  if (known) return open[known]();
  const { faster, session } = await race(programs, { tensorflow: await own(), onnxruntime: await onnx() });
  await backend.choices.keep(program, faster);
  return session;
}

/** ONNX Runtime, if it can compute these programs. */
async function runtimeFor(programs: Programs) {
  try {
    checkOnnx(programs);
    return await loadOnnxRuntime();
  } catch (error) {
    if (error instanceof FinetuneError) return undefined;
    throw error;
  }
}

const hashOf = (programs: Programs): string =>
  createHash('sha256')
    .update(JSON.stringify(Object.entries(programs).map(([name, program]) => [name, wiringOf(program)])))
    .digest('hex')
    .slice(0, 16);

const ROUNDS = 3;

/** Runs the first program on both, in turn, and disposes of the slower session. */
async function race(
  programs: Programs,
  sessions: Readonly<Record<InferenceEngine, InferenceSession>>,
): Promise<{ readonly faster: InferenceEngine; readonly session: InferenceSession }> {
  const [name, program] = Object.entries(programs)[0]!;
  const feeds: Feeds = Object.fromEntries(
    inputsOf(program).map(({ name: input, shape, dtype }) => [
      input,
      dtype === 'float32'
        ? new Float32Array(sizeOf(shape)).fill(0.5)
        : new (dtype === 'int32' ? Int32Array : Uint8Array)(sizeOf(shape)),
    ]),
  );
  const best = { tensorflow: Infinity, onnxruntime: Infinity };
  for (let round = 0; round <= ROUNDS; round++) {
    for (const engine of ['tensorflow', 'onnxruntime'] as const) {
      const start = performance.now();
      await sessions[engine].run(name, feeds);
      if (round > 0) best[engine] = Math.min(best[engine], performance.now() - start); // the first run prepares
    }
  }
  const faster = best.onnxruntime < best.tensorflow ? 'onnxruntime' : 'tensorflow';
  sessions[faster === 'onnxruntime' ? 'tensorflow' : 'onnxruntime'].dispose();
  return { faster, session: sessions[faster] };
}
