import { FinetuneError } from '../../errors.js';
import { checkLibrary } from './checkLibrary.js';
import { fetchLibrary } from './fetchLibrary.js';
import { findLibrary, type FindOptions, type Library } from './findLibrary.js';
import { fetchOnnxRuntime, findOnnxRuntime, type OnnxRuntimeOptions } from './onnxRuntime.js';
import { processor, readEngineRecord, writeEngineRecord, type EngineRecord } from './record.js';
import { SETUP } from './setupCommand.js';
import type { SetupOptions } from './setupOptions.js';
import { LIBRARY_SOURCES, machineOf, type LibrarySource } from './wheels.js';

export interface InstallOptions extends OnnxRuntimeOptions {
  /** Ignore the record of an earlier set-up. */
  readonly retry?: boolean;
  /** Loads a library and returns its version. Tests, whose libraries are none, replace it. */
  readonly check?: (library: Library, options: SetupOptions) => Promise<string>;
  readonly packageFolder?: FindOptions['packageFolder'];
}

const RETRY_AFTER = 24 * 3600_000; // ms; so that a machine without a network does not wait for it at every start

/** Installs ONNX Runtime, and TensorFlow's C library, unless there is one that can be loaded: takes it out of a pip wheel whose
 *  sha256 is known and puts it into the user's cache. If that fails, the record says why, and the wasm engine, an npm package, is used.
 *  Throws only if `signal` aborts. Returns at once if an engine is in place, or if the last attempt failed less than a day
 *  ago. */
export async function installEngine(options: InstallOptions = {}): Promise<EngineRecord> {
  const { retry = false, signal, check = checkLibrary, packageFolder } = options;
  signal?.throwIfAborted();
  const machine = machineOf(options);
  const search = { ...machine, ...(packageFolder && { packageFolder }) };
  const record = readEngineRecord(machine);
  if (record && !retry && isCurrent(record, findLibrary(search), findOnnxRuntime(options))) return record;

  const failed: EngineRecord['failed'][number][] = [];
  const unusable: string[] = [];
  const common = { unusable, failed, processor: processor(), at: new Date().toISOString() };
  const attempt = async (source: LibrarySource): Promise<EngineRecord | undefined> => {
    const library = findLibrary({ ...search, sources: [source], unusable });
    if (!library) return undefined;
    try {
      const libtensorflow = await check(library, options);
      return { engine: 'tensorflow', source, library: library.main, libtensorflow, ...common };
    } catch (error) {
      signal?.throwIfAborted();
      unusable.push(library.main);
      failed.push(failureOf(source, error));
      return undefined;
    }
  };
  await fetchOnnxRuntime(options).catch((error: unknown) => {
    signal?.throwIfAborted();
    failed.push(failureOf('onnxruntime', error));
  });
  for (const source of LIBRARY_SOURCES) {
    const found = await attempt(source);
    if (found) return writeEngineRecord(machine, found);
  }
  try {
    await fetchLibrary(options);
    const found = await attempt('wheel'); // nothing, if the set-up had found it before and could not load it
    if (found) return writeEngineRecord(machine, found);
  } catch (error) {
    signal?.throwIfAborted();
    failed.push(failureOf('wheel', error));
  }
  return writeEngineRecord(machine, { engine: 'wasm', ...common });
}

function failureOf(source: LibrarySource | 'onnxruntime', error: unknown): EngineRecord['failed'][number] {
  const problem = error instanceof FinetuneError ? error.problems[0] : undefined;
  const place = problem?.where?.file === undefined ? '' : `${problem.where.file}: `;
  const why = problem === undefined ? (error as Error).message : `${place}${problem.message}`;
  return { source, why, fix: problem?.fix ?? `${SETUP} tries again` };
}

/** Whether nothing has changed since the last set-up, and nothing is missing that should be tried again. */
function isCurrent(
  { engine, library, at, failed }: EngineRecord,
  found: Library | undefined,
  onnxRuntime: string | undefined,
): boolean {
  const isRecent = Date.now() - Date.parse(at) < RETRY_AFTER;
  const triedRuntime = failed.some(({ source }) => source === 'onnxruntime');
  if (onnxRuntime === undefined && !(triedRuntime && isRecent)) return false;
  return engine === 'tensorflow' ? found !== undefined && found.main === library : found === undefined && isRecent;
}
