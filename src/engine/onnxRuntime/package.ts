import { createRequire } from 'node:module';
import type { Feed } from '../engine.js';
import type { Binding } from './binding.js';

/** The part of onnxruntime-node that is used here, in words of our own: types of the public API must not reach the
 *  package's declarations. */
interface Tensor {
  readonly data: unknown;
}
interface Session {
  run(feeds: Readonly<Record<string, Tensor>>, outputs: readonly string[]): Promise<Readonly<Record<string, Tensor>>>;
  release?(): Promise<void>; // before 1.16, the garbage collector frees it
}
interface Module {
  readonly env: { logLevel?: string; readonly versions?: { readonly node?: string } };
  readonly Tensor: new (type: string, data: Feed, shape: readonly number[]) => Tensor;
  readonly InferenceSession: { create(model: Uint8Array, options: object): Promise<Session> };
}

/** Loads the package whose main file this is. A run blocks the thread that calls it until it ends. */
export function loadPackage(main: string): Binding {
  const load = createRequire(main);
  const ort = load(main) as Module;
  ort.env.logLevel = 'fatal'; // every error is thrown, too
  return {
    version: ort.env.versions?.node ?? (load('../package.json') as { version: string }).version, // before 1.17
    runsAtOnce: false,
    async open(model, { threads, spins }) {
      const session = await ort.InferenceSession.create(model, {
        executionProviders: ['cpu'],
        graphOptimizationLevel: 'all',
        executionMode: 'sequential',
        interOpNumThreads: 1,
        intraOpNumThreads: threads,
        logSeverityLevel: 4,
        extra: { session: { intra_op: { allow_spinning: spins ? '1' : '0' } } },
      });
      return {
        async run(inputs, outputs) {
          const given = Object.entries(inputs).map(
            ([name, { dtype, data, shape }]) => [name, new ort.Tensor(dtype, data, shape)] as const,
          );
          const names = outputs.map(({ name }) => name);
          const results = await session.run(Object.fromEntries(given), names);
          return names.map((name) => results[name]!.data as Feed);
        },
        release() {
          void session.release?.();
        },
      };
    },
  };
}
