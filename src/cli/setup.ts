import { installEngine } from '../engine/install/install.js';
import type { EngineRecord } from '../engine/install/record.js';
import { SETUP } from '../engine/install/setupCommand.js';
import type { LibrarySource } from '../engine/install/wheels.js';
import type { ProgressEvent } from '../progress.js';

export interface SetupCommand {
  /** Try again although the record of the last set-up says that it failed. */
  readonly retry?: boolean;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((event: ProgressEvent) => void) | undefined;
  /** Print nothing if nothing had to be done and the engine is the compiled one. */
  readonly quiet?: boolean;
}

/** `finetune setup`: installs the compute engine and prints on stderr, in one line, which one it is. A failure of
 *  the compiled engine is not thrown: the wasm engine remains. */
export async function setup({
  retry = false,
  signal,
  onProgress,
  quiet = false,
}: SetupCommand = {}): Promise<EngineRecord> {
  let steps = 0;
  const record = await installEngine({
    retry,
    signal,
    onProgress: (event) => {
      steps++;
      onProgress?.(event);
    },
  });
  if (steps > 0 || !quiet || record.engine === 'wasm') console.error(describeEngine(record));
  return record;
}

/** One line: the engine and where it came from; or why there is no better one, how much slower this one is, and the
 *  remedy. A second line if ONNX Runtime is missing. */
export function describeEngine({ engine, source = 'wheel', libtensorflow = '', failed }: EngineRecord): string {
  const explain = (failures: EngineRecord['failed']): string => {
    const why = failures.map((attempt) => attempt.why).join('; ');
    const fix = failures.map((attempt) => attempt.fix).join(', or ');
    return `because ${why}. Remedy: ${fix}; then ${SETUP}`;
  };
  const ofRuntime = failed.filter((failure) => failure.source === 'onnxruntime');
  const ofLibrary = failed.filter((failure) => failure.source !== 'onnxruntime');
  const line =
    engine === 'tensorflow'
      ? `engine: tensorflow ${libtensorflow} (${ORIGINS[source]})`
      : `engine: wasm, training is about 10x slower, ${explain(ofLibrary)}`;
  return ofRuntime.length === 0 ? line : `${line}\nwithout ONNX Runtime, ${explain(ofRuntime)}`;
}

const ORIGINS: Readonly<Record<LibrarySource, string>> = {
  wheel: 'the library of the pip wheel, from the cache of this user',
  'tfjs-node': 'the library that @tensorflow/tfjs-node has downloaded',
  'gpu-wheel': 'the library for GPUs, from the cache of this user',
  'tfjs-node-gpu': 'the library that @tensorflow/tfjs-node-gpu has downloaded',
};
