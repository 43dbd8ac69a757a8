import { invariant } from '../../errors.js';
import type { Param, Params } from '../../graph/params.js';
import { parametersOf, type Programs } from '../../graph/program.js';
import { DT } from '../../tensorflow/graphDef.js';
import { emitPrograms } from '../../tensorflow/program.js';
import type { CompiledBackend } from '../backend.js';
import { checkFeeds, checkParams, type Results, type Session, type WorkersMean } from '../engine.js';
import { toFloat } from './feeds.js';
import { openRunner } from './runner.js';

/** Compiles programs for TensorFlow: all become one graph with shared variables, and each run is one session call, off
 *  the main thread. `constants` are parameters with fixed values: they are part of the graph and can be read by name, but
 *  not written. A program's first run takes some seconds more: compile once per batch and size. */
export async function compileSession(
  programs: Programs,
  {
    tensorflow,
    config,
    prefersMatrices,
    workersMean,
  }: Pick<CompiledBackend, 'tensorflow' | 'config' | 'prefersMatrices' | 'workersMean'>,
  constants: Params = new Map(),
): Promise<Session> {
  const all = parametersOf(programs);
  checkParams(all, constants);
  const parameters = new Map([...all].filter(([name]) => !constants.has(name)));
  const emitted = emitPrograms(programs, { constants, prefersMatrices });
  const inParts = [...emitted.programs.values()].some(({ exchanges }) => exchanges.length > 0);
  const runner = await openRunner(tensorflow, emitted.def.finish(), { ...config, inParts });

  return {
    async run(name, feeds, others = []) {
      const program = emitted.programs.get(name);
      invariant(program, `no program is called ${name}`);
      const [fed = [], ...further] = [feeds, ...others].map((part) => {
        checkFeeds(name, program.inputs, part);
        return program.inputs.map(({ name: input, placeholder, shape, dtype }) => ({
          name: placeholder,
          shape,
          dtype: DT[dtype],
          values: part[input]!,
        }));
      });
      const { fetches, exchanges } = program;
      const together = (programs[name]?.updates ?? []).length === 0;
      const values =
        exchanges.length === 0
          ? await runner.call(fed, fetches, { together })
          : await runner.callInParts([fed, ...further], fetches, exchanges, workersMean ?? noWorkers);
      const results: Results = Object.fromEntries(program.outputs.map((key, i) => [key, toFloat(values[i]!)]));
      return results;
    },
    async read(names = [...parameters.keys()]) {
      if (names.length === 0) return new Map(); // TensorFlow refuses a call that fetches nothing
      const places = names.map((name) => emitted.constants.get(name) ?? emitted.variables.get(name)!.read);
      const values = await runner.call([], places);
      const params = names.map((name, i): [string, Param] => {
        return [name, { shape: all.get(name)!.shape, data: toFloat(values[i]!) }];
      });
      return new Map(params);
    },
    async write(params) {
      checkParams(parameters, params);
      if (params.size === 0) return;
      const variables = [...params.keys()].map((name) => emitted.variables.get(name)!);
      const feeds = [...params.values()].map(({ shape, data }, i) => ({
        name: variables[i]!.value,
        shape,
        dtype: DT.float32,
        values: data,
      }));
      await runner.call(
        feeds,
        variables.map(({ written }) => written),
      );
    },
    dispose: () => {
      runner.close();
    },
  };
}

const noWorkers: WorkersMean = () =>
  Promise.reject(new Error('internal: the program has means over workers, and the engine has none'));
