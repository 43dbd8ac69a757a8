import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { invariant } from '../errors.js';
import { makeFolder, withTemporaryFolder, writeNew } from '../files/folders.js';
import type { Param, Params } from '../graph/params.js';
import { parametersOf, type Programs } from '../graph/program.js';
import type { Shape } from '../graph/spec.js';
import { DT } from '../tensorflow/graphDef.js';
import { emitPrograms } from '../tensorflow/program.js';
import type { Backend } from './backend.js';
import { checkFeeds, checkParams, type Feed, type Results, type Session } from './engine.js';
import { tfjsOf } from './tfjs.js';

/** The part of tfjs-node's native binding that runs a graph without creating tensor objects of tfjs. */
interface Binding {
  createTensor(shape: Shape, dtype: number, values: Feed): number;
  deleteTensor(id: number): void;
  tensorDataSync(id: number): Feed;
  loadSavedModel(path: string, tags: string): number;
  deleteSavedModel(id: number): void;
  runSavedModel(
    id: number,
    tensors: readonly number[],
    inputs: string,
    outputs: string,
  ): readonly { readonly id: number }[];
}

const load = (binding: Binding, savedModel: Uint8Array): Promise<number> =>
  withTemporaryFolder(join(tmpdir(), 'tfjs-finetune-'), async (folder) => {
    await makeFolder(join(folder, 'variables')); // the loader requires this folder, even if it is empty
    await writeNew(join(folder, 'saved_model.pb'), savedModel);
    return binding.loadSavedModel(folder, 'serve');
  });

/** What one call feeds: values for the placeholder of this name. */
interface Fed {
  readonly name: string;
  readonly shape: Shape;
  readonly dtype: number;
  readonly values: Feed;
}

/** Runs the graph of a SavedModel once: sets the placeholders and returns the values of the fetched nodes. */
function call(binding: Binding, model: number, feeds: readonly Fed[], fetches: readonly string[]): Feed[] {
  const tensors: number[] = [];
  try {
    for (const { shape, dtype, values } of feeds) tensors.push(binding.createTensor(shape, dtype, values));
    const tf = (name: string): string => (name.includes(':') ? name : `${name}:0`);
    const inputs = feeds.map(({ name }) => tf(name)).join();
    const results = binding.runSavedModel(model, tensors, inputs, fetches.map(tf).join());
    tensors.push(...results.map((result) => result.id));
    return results.map((result) => binding.tensorDataSync(result.id));
  } finally {
    tensors.forEach((tensor) => binding.deleteTensor(tensor));
  }
}

/** Compiles programs for TensorFlow: all become one graph with shared variables, and each run is one session call.
 *  `constants` are parameters with fixed values: they are part of the graph and can be read by name, but not written.
 *  Loading takes about 0.3 s, and a program's first run some seconds more: compile once per batch and size. */
export async function compileSession(
  programs: Programs,
  backend: Backend,
  constants: Params = new Map(),
): Promise<Session> {
  const { binding } = tfjsOf(backend).backend() as unknown as { binding: Binding };
  const all = parametersOf(programs);
  checkParams(all, constants);
  const parameters = new Map([...all].filter(([name]) => !constants.has(name)));
  const emitted = emitPrograms(programs, { constants, prefersMatrices: backend.prefersMatrices });
  const model = await load(binding, emitted.def.savedModel());

  return {
    run(name, feeds) {
      const program = emitted.programs.get(name);
      invariant(program, `no program is called ${name}`);
      checkFeeds(name, program.inputs, feeds);
      const fed = program.inputs.map(({ name: input, placeholder, shape, dtype }) => ({
        name: placeholder,
        shape,
        dtype: DT[dtype],
        values: feeds[input]!,
      }));
      const values = call(binding, model, fed, program.fetches);
      const results: Results = Object.fromEntries(program.outputs.map((key, i) => [key, toFloat(values[i]!)]));
      return Promise.resolve(results);
    },
    read(names = [...parameters.keys()]) {
      const places = names.map((name) => emitted.constants.get(name) ?? emitted.variables.get(name)!.read);
      const values = call(binding, model, [], places);
      const params = names.map((name, i): [string, Param] => {
        return [name, { shape: all.get(name)!.shape, data: toFloat(values[i]!) }];
      });
      return Promise.resolve(new Map(params));
    },
    write(params: Params) {
      checkParams(parameters, params);
      const variables = [...params.keys()].map((name) => emitted.variables.get(name)!);
      const feeds = [...params.values()].map(({ shape, data }, i) => ({
        name: variables[i]!.value,
        shape,
        dtype: DT.float32,
        values: data,
      }));
      const fetches = variables.map(({ written }) => written);
      if (feeds.length > 0) call(binding, model, feeds, fetches);
      return Promise.resolve();
    },
    dispose: () => {
      binding.deleteSavedModel(model);
    },
  };
}

const toFloat = (values: Feed): Float32Array => (values instanceof Float32Array ? values : Float32Array.from(values));
