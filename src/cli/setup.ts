import { SETUP } from '../engine/install/tfjsNode.js';
import { installEngine, type EngineRecord, type EngineSource } from '../engine/install/install.js';

export interface SetupCommand {
  /** Try again although the record of the installation says that a try failed. */
  readonly retry?: boolean;
  /** Replace the engine in use by one from this source, if that works. */
  readonly source?: EngineSource | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Print nothing if nothing had to be done and the engine is the compiled one. */
  readonly quiet?: boolean;
}

/** `finetune setup`: installs the compute engine and prints on stderr, in one line, which one it is. A failure of
 *  the compiled engine is not thrown: the wasm engine remains. */
export async function setup({
  retry = false,
  source,
  signal,
  quiet = false,
}: SetupCommand = {}): Promise<EngineRecord> {
  const steps: string[] = [];
  const onProgress = (message: string) => {
    steps.push(message);
    console.error(`  ${message} …`);
  };
  const record = await installEngine({ retry, source, signal, onProgress });
  if (steps.length > 0 || !quiet || record.engine === 'wasm') console.error(describeEngine(record));
  return record;
}

/** One line: the engine and where it came from; or why there is no better one, how much slower this one is, and the
 *  remedy. */
export function describeEngine({ engine, source, libtensorflow = '', failed }: EngineRecord): string {
  if (engine === 'tensorflow') return `engine: tensorflow ${libtensorflow}, compiled (${ORIGINS[source ?? 'found']})`;
  const why = failed.map((attempt) => attempt.why).join('; ');
  const fix = failed.map((attempt) => attempt.fix).join(', or ');
  return `engine: wasm, training is about 10x slower, because ${why}. Remedy: ${fix}; then ${SETUP}`;
}

const ORIGINS: Readonly<Record<EngineSource | 'found', string>> = {
  cache: "libtensorflow from this user's cache",
  google: "tfjs-node's own download",
  pip: 'libtensorflow from the pip wheel',
  found: 'as it was installed',
};
