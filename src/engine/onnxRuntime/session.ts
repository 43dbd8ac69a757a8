import { FinetuneError, invariant } from '../../errors.js';
import type { Param, Params } from '../../graph/params.js';
import { inputsOf, parametersOf, type Programs } from '../../graph/program.js';
import { checkOnnx, emitOnnx } from '../../onnx/emit.js';
import { encodeOnnx } from '../../onnx/encode.js';
import type { Port } from '../../onnx/model.js';
import { checkFeeds, checkParams, type Feed, type Feeds, type Results, type Session } from '../engine.js';
import { createQueue } from '../queue.js';
import {
  loadOnnxRuntime,
  runtimeError,
  type OnnxRuntime,
  type OnnxRuntimeOptions,
  type RuntimeSession,
  type Tensor,
} from './runtime.js';

/** One program, loaded with the present values of its parameters. */
interface Loaded {
  readonly session: RuntimeSession;
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
}

const copyOf = ({ shape, data }: Param): Param => ({ shape, data: data.slice() });

/** Compiles programs for ONNX Runtime, which computes everything but training: checkOnnx says whether it holds them. A
 *  program is loaded when it first runs, and again after parameters were written. Besides the errors of every session,
 *  throws E_ONNX_OP, E_ONNX_SIZE, E_ONNX_RUNTIME, E_ENGINE_UNAVAILABLE; and run and read throw E_PARAM_UNSET for a
 *  parameter without a value. */
export async function compileOnnx(
  programs: Programs,
  params: Params = new Map(),
  options: OnnxRuntimeOptions = {},
): Promise<Session> {
  checkOnnx(programs);
  const parameters = parametersOf(programs);
  checkParams(parameters, params);
  const runtime = await loadOnnxRuntime();
  const values = new Map([...params].map(([name, param]) => [name, copyOf(param)]));
  const loaded = new Map<string, Loaded>();
  const inOrder = createQueue(); // a model must not be unloaded while it runs

  const valueOf = (name: string): Param => {
    const value = values.get(name);
    if (value) return value;
    const fix = 'write initial or loaded values first';
    throw new FinetuneError({ code: 'E_PARAM_UNSET', message: `parameter ${name} has no value`, fix });
  };
  const loadProgram = async (name: string): Promise<Loaded> => {
    const known = loaded.get(name);
    if (known) return known;
    const program = programs[name]!;
    const own = new Map([...parametersOf({ [name]: program }).keys()].map((key) => [key, valueOf(key)]));
    const model = emitOnnx(name, program, own);
    const session = await runtime.open(encodeOnnx(model), options);
    const made = { session, inputs: model.inputs, outputs: model.outputs };
    loaded.set(name, made);
    return made;
  };
  const unload = async (): Promise<void> => {
    const all = [...loaded.values()];
    loaded.clear();
    await Promise.all(all.map(({ session }) => session.release()));
  };

  return {
    async run(name, feeds) {
      const program = programs[name];
      invariant(program, `no program is called ${name}`);
      checkFeeds(name, inputsOf(program), feeds);
      return inOrder(async () => call(runtime, name, await loadProgram(name), feeds));
    },
    read: (names = [...parameters.keys()]) =>
      inOrder(() => Promise.resolve(new Map(names.map((name) => [name, copyOf(valueOf(name))])))),
    async write(given) {
      checkParams(parameters, given);
      const copies = [...given].map(([name, param]) => [name, copyOf(param)] as const);
      await inOrder(async () => {
        for (const [name, param] of copies) values.set(name, param);
        await unload();
      });
    },
    dispose() {
      void inOrder(unload);
    },
  };
}

async function call(runtime: OnnxRuntime, program: string, model: Loaded, feeds: Feeds): Promise<Results> {
  const tensors = model.inputs.map(({ key, name, dtype, shape }): [string, Tensor] => [
    name,
    runtime.tensor(dtype, feeds[key]!, shape),
  ]);
  try {
    const results = await model.session.run(Object.fromEntries(tensors));
    return Object.fromEntries(model.outputs.map(({ key, name }) => [key, toFloat(results[name]!.data as Feed)]));
  } catch (error) {
    throw runtimeError(`run the program "${program}"`, error);
  }
}

const toFloat = (values: Feed): Float32Array => (values instanceof Float32Array ? values : Float32Array.from(values));
