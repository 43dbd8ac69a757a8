import { createHash } from 'node:crypto';
import { cpus } from 'node:os';
import { dirname, join } from 'node:path';
import { makeFolder } from '../../files/folders.js';
import { readOwnJson } from '../../files/readOwnJson.js';
import { writeAtomically } from '../../files/writeAtomically.js';
import { cacheDirectory } from '../install/wheels.js';

/** The engines that compute programs without updates, where both are in place. */
export const INFERENCE_ENGINES = ['tensorflow', 'onnxruntime'] as const;
export type InferenceEngine = (typeof INFERENCE_ENGINES)[number];

/** Remembers which engine computes a program faster. */
export interface EngineChoices {
  find(program: string): Promise<InferenceEngine | undefined>;
  keep(program: string, engine: InferenceEngine): Promise<void>;
}

type Kept = Readonly<Record<string, InferenceEngine>>;

const parse = (content: unknown): Kept =>
  Object.fromEntries(
    Object.entries(content as Kept).filter(([, engine]) => INFERENCE_ENGINES.includes(engine)), // a later version may know more
  );

/** The choices in a JSON file. Throws E_FILE_DAMAGED, E_DISK_READ, E_DISK_WRITE. */
export function choicesIn(file: string): EngineChoices {
  const read = async (): Promise<Kept> =>
    (await readOwnJson(file, { parse, fix: 'remove the file: the engines are measured again' })) ?? {};
  return {
    find: async (program) => (await read())[program],
    async keep(program, engine) {
      await makeFolder(dirname(file));
      const content = { ...(await read()), [program]: engine };
      await writeAtomically(file, `${JSON.stringify(content, null, 2)}\n`, { isDurable: false });
    },
  };
}

/** The choices of this machine, in the cache. Those of another processor, number of threads or version (`context`) do not
 *  count. A cache that cannot be read or written only means that the engines are measured again. */
export function machineChoices(context: readonly unknown[], env = process.env): EngineChoices {
  const machine = createHash('sha256')
    .update(JSON.stringify([context, cpus()[0]?.model]))
    .digest('hex')
    .slice(0, 16);
  const kept = choicesIn(join(cacheDirectory(env), `engines-${machine}.json`));
  return {
    find: (program) => kept.find(program).catch(() => undefined),
    keep: (program, engine) => kept.keep(program, engine).catch(() => undefined),
  };
}

/** The choices of a run, in its directory: a run that is resumed goes on with the engines that it began with, wherever
 *  it is resumed, since their results differ in the last bits. What the run has not chosen yet, `others` decide. */
function runChoices(directory: string, others: EngineChoices): EngineChoices {
  const own = choicesIn(join(directory, 'engines.json'));
  return {
    async find(program) {
      const known = await own.find(program);
      const other = known ?? (await others.find(program));
      if (!known && other) await own.keep(program, other);
      return other;
    },
    async keep(program, engine) {
      await own.keep(program, engine);
      await others.keep(program, engine);
    },
  };
}

/** A backend whose choices are kept in the directory of a run. */
export const withRunChoices = <B extends { readonly choices: EngineChoices | undefined }>(
  backend: B,
  directory: string,
): B => (backend.choices ? { ...backend, choices: runChoices(directory, backend.choices) } : backend);

/** Always the same engine. */
export const fixedChoice = (engine: InferenceEngine): EngineChoices => ({
  find: () => Promise.resolve(engine),
  keep: () => Promise.resolve(),
});
