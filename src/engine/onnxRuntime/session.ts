import { FinetuneError, invariant } from '../../errors.js';
import type { Param, Params } from '../../graph/params.js';
import { inputsOf, parametersOf, type Programs } from '../../graph/program.js';
import { checkOnnx, emitOnnx } from '../../onnx/emit.js';
import { encodeOnnx } from '../../onnx/encode.js';
import { checkFeeds, checkParams, type Session } from '../engine.js';
import { cpuFeatures } from '../cpu.js';
import { compilePadded } from '../padded.js';
import { createQueue } from '../queue.js';
import { call, type Loaded } from './call.js';
import { loadOnnxRuntime, type OnnxRuntimeOptions } from './runtime.js';

const copyOf = ({ shape, data }: Param): Param => ({ shape, data: data.slice() });

/** Compiles programs for ONNX Runtime, which computes everything but training: checkOnnx says whether it holds them. A
 *  program is loaded when it first runs, and again after parameters were written; several runs may be under way at once.
 *  Besides the errors of every session, throws E_ONNX_OP, E_ONNX_SIZE, E_ONNX_RUNTIME, E_ENGINE_UNAVAILABLE; and run and
 *  read throw E_PARAM_UNSET for a parameter without a value. */
export async function compileOnnx(
  programs: Programs,
  params: Params = new Map(),
  options: OnnxRuntimeOptions = {},
): Promise<Session> {
  checkOnnx(programs);
  return compilePadded(
    programs,
    params,
    (padded, values) => compileAsGiven(padded, values, options),
    blockOfChannels(),
  );
}

/** ONNX Runtime stores channels in blocks of one register on x86, and computes other numbers of channels by slower kernels:
 *  a ReXNet takes 0.8 of the time when its channels are padded. */
const blockOfChannels = (): number => (cpuFeatures().includes('AVX-512') ? 16 : 8);

async function compileAsGiven(programs: Programs, params: Params, options: OnnxRuntimeOptions): Promise<Session> {
  const parameters = parametersOf(programs);
  checkParams(parameters, params);
  const runtime = await loadOnnxRuntime();
  const values = new Map([...params].map(([name, param]) => [name, copyOf(param)]));
  const loaded = new Map<string, Promise<Loaded>>();
  const queue = createQueue();

  const valueOf = (name: string): Param => {
    const value = values.get(name);
    if (value) return value;
    const fix = 'write initial or loaded values first';
    throw new FinetuneError({ code: 'E_PARAM_UNSET', message: `parameter ${name} has no value`, fix });
  };
  const loadProgram = async (name: string): Promise<Loaded> => {
    const program = programs[name]!;
    const own = new Map([...parametersOf({ [name]: program }).keys()].map((key) => [key, valueOf(key)]));
    const { inputs, outputs, ...model } = emitOnnx(name, program, own);
    return { session: await runtime.open(encodeOnnx({ inputs, outputs, ...model }), options), inputs, outputs };
  };
  const programOf = (name: string): Promise<Loaded> => {
    const loading = loaded.get(name) ?? loadProgram(name);
    loaded.set(name, loading);
    loading.catch(() => loaded.delete(name)); // it may get its parameters later
    return loading;
  };
  const unload = async (): Promise<void> => {
    const all = await Promise.all(loaded.values());
    loaded.clear();
    for (const { session } of all) session.release();
  };

  return {
    async run(name, feeds) {
      const program = programs[name];
      invariant(program, `no program is called ${name}`);
      checkFeeds(name, inputsOf(program), feeds);
      return queue.together(async () => call(name, await programOf(name), feeds));
    },
    read: (names = [...parameters.keys()]) =>
      queue.alone(() => Promise.resolve(new Map(names.map((name) => [name, copyOf(valueOf(name))])))),
    async write(given) {
      checkParams(parameters, given);
      const copies = [...given].map(([name, param]) => [name, copyOf(param)] as const);
      await queue.alone(async () => {
        for (const [name, param] of copies) values.set(name, param);
        await unload();
      });
    },
    dispose() {
      void queue.alone(unload);
    },
  };
}
