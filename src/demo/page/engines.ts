import { onnxRuntime, tensorFlow, type Engine } from '../../runtime.js';
import type { DemoEngine } from '../content.js';
import type { LoadedFiles } from './load.js';

type Files = ReadonlyMap<string, Uint8Array<ArrayBuffer>>;

/** Makes the engine of a model, once its scripts are loaded. */
export type OpenEngine = (model: LoadedFiles, engineFiles: Files) => Promise<Engine>;

const addressOf = (bytes: Uint8Array<ArrayBuffer>, type: string): string =>
  URL.createObjectURL(new Blob([bytes], { type }));

type AnyGraphModel = Parameters<typeof tensorFlow>[1];
type GraphModel = AnyGraphModel & {
  execute(...given: Parameters<AnyGraphModel['executeAsync']>): unknown;
};

/** What the page uses of TensorFlow.js: its scripts make one global variable of core, converter and the backend for WebAssembly. */
interface TensorFlowJs {
  readonly wasm: { setWasmPaths(paths: Readonly<Record<string, string>>, usePlatformFetch: boolean): void };
  env(): { set(flag: string, value: boolean): void };
  readonly io: { fromMemory(artifacts: object): object };
  setBackend(name: string): Promise<boolean>;
  ready(): Promise<void>;
  loadGraphModel(handler: object): Promise<GraphModel>;
}

/** The builds whose addresses TensorFlow.js wants to know. The page has the one with SIMD, which every browser of today runs. */
const BUILDS = ['tfjs-backend-wasm', 'tfjs-backend-wasm-simd', 'tfjs-backend-wasm-threaded-simd'];

let startedTensorFlow: Promise<void> | undefined;

async function startTensorFlow(tf: TensorFlowJs, files: Files): Promise<void> {
  const address = addressOf([...files.values()][0]!, 'application/wasm');
  tf.env().set('WASM_HAS_MULTITHREAD_SUPPORT', false); // threads need headers of the server that static hosts do not send
  tf.wasm.setWasmPaths(Object.fromEntries(BUILDS.map((build) => [`${build}.wasm`, address])), true);
  if (!(await tf.setBackend('wasm'))) throw new Error('this browser has no WebAssembly with SIMD: update it');
  await tf.ready();
}

const openTensorFlow: OpenEngine = async ({ card, files }, engineFiles) => {
  const { tf } = globalThis as unknown as { readonly tf: TensorFlowJs };
  await (startedTensorFlow ??= startTensorFlow(tf, engineFiles));
  const json = JSON.parse(new TextDecoder().decode(files.get('model.json'))) as {
    readonly modelTopology: object;
    readonly weightsManifest: readonly { readonly paths: readonly string[]; readonly weights: readonly object[] }[];
  };
  const { weightsManifest, ...rest } = json;
  const weightSpecs = weightsManifest.flatMap(({ weights }) => weights);
  const shards = weightsManifest.flatMap(({ paths }) => paths.map((path) => files.get(path)!));
  const weightData = await new Blob(shards).arrayBuffer();
  const model = await tf.loadGraphModel(tf.io.fromMemory({ ...rest, weightSpecs, weightData }));
  const { outputs } = model;
  // TensorFlow.js warns at each run of a model that need not be run asynchronously, and is.
  const executeAsync: AnyGraphModel['executeAsync'] = (...given) =>
    card.call === 'execute' ? Promise.resolve(model.execute(...given)) : model.executeAsync(...given);
  return tensorFlow(tf as unknown as Parameters<typeof tensorFlow>[0], { outputs, executeAsync });
};

/** What the page uses of onnxruntime-web. */
interface OnnxRuntimeWeb {
  readonly env: {
    readonly wasm: { numThreads: number; wasmBinary: Uint8Array; wasmPaths: Readonly<Record<'mjs', string>> };
  };
  readonly InferenceSession: {
    create(model: Uint8Array, options: object): Promise<Parameters<typeof onnxRuntime>[1]>;
  };
}

let startedOnnxRuntime = false;

const openOnnxRuntime: OpenEngine = async ({ files }, engineFiles) => {
  const { ort } = globalThis as unknown as { readonly ort: OnnxRuntimeWeb };
  if (!startedOnnxRuntime) {
    const [wasm, mjs] = ['.wasm', '.mjs'].map((end) => [...engineFiles].find(([name]) => name.endsWith(end))![1]);
    ort.env.wasm.numThreads = 1; // more need headers of the server that static hosts do not send
    ort.env.wasm.wasmBinary = wasm!;
    ort.env.wasm.wasmPaths = { mjs: addressOf(mjs!, 'text/javascript') };
    startedOnnxRuntime = true;
  }
  const session = await ort.InferenceSession.create(files.get('model.onnx')!, { executionProviders: ['wasm'] });
  return onnxRuntime(ort as unknown as Parameters<typeof onnxRuntime>[0], session);
};

export const openers: Readonly<Record<DemoEngine, OpenEngine>> = {
  tensorflow: openTensorFlow,
  onnxruntime: openOnnxRuntime,
};
