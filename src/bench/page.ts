import { createPredictor, onnxRuntime, tensorFlow, type Engine } from '../runtime.js';
import { timeRound } from './round.js';

/** Runs in the page that browser.ts opens, and predicts with an exported model as a web page does. */

/** The libraries that run models in a page, and what they compute on. */
export interface PageWork {
  readonly format: 'onnx' | 'tfjs';
  readonly backend: 'wasm' | 'webgl' | 'webgpu';
}

/** Where the page finds files: browser.ts answers these addresses. */
export const ADDRESSES = { model: '/model/', packages: '/packages/', image: '/image', dist: '/dist/' } as const;

let predict: () => Promise<unknown>;

/** Opens the model. Returns whether the backend computes on the processor, for lack of a graphics card. */
export async function open({ format, backend }: PageWork): Promise<{ readonly isSoftware: boolean }> {
  const isSoftware = backend !== 'wasm' && (await graphics[backend]());
  const card: unknown = await (await fetch(`${ADDRESSES.model}model-card.json`)).json();
  const engine = await openers[format](backend, (card as { readonly call?: string }).call === 'execute');
  const predictor = createPredictor(card, engine);
  const image = await (await fetch(ADDRESSES.image)).blob();
  predict = () => predictor.predict(image);
  await predict();
  return { isSoftware };
}

export const round = (): Promise<number[]> => timeRound(predict);

type TensorFlowArguments = Parameters<typeof tensorFlow>;
type ExecuteAsync = TensorFlowArguments[1]['executeAsync'];
type OnnxArguments = Parameters<typeof onnxRuntime>;

/** What the page uses of the browser and of the libraries, whose scripts make global variables. */
const page = globalThis as unknown as {
  readonly navigator: { readonly gpu?: { requestAdapter(): Promise<Adapter | null> } };
  readonly OffscreenCanvas: new (width: number, height: number) => { getContext(kind: 'webgl2'): WebGl | null };
  readonly tf: TensorFlowArguments[0] & {
    readonly wasm: { setWasmPaths(folder: string): void };
    env(): { set(flag: string, value: boolean): void };
    setBackend(name: string): Promise<boolean>;
    ready(): Promise<void>;
    loadGraphModel(
      address: string,
    ): Promise<TensorFlowArguments[1] & { execute(...given: Parameters<ExecuteAsync>): unknown }>;
  };
  readonly ort: OnnxArguments[0] & {
    readonly env: { readonly wasm: { numThreads: number; wasmPaths: string } };
    readonly InferenceSession: { create(address: string, options: object): Promise<OnnxArguments[1]> };
  };
};
interface WebGl {
  getExtension(name: string): { readonly UNMASKED_RENDERER_WEBGL: number } | null;
  getParameter(name: number): unknown;
}
interface Adapter {
  readonly info: { readonly isFallbackAdapter?: boolean; readonly architecture: string; readonly description: string };
}

/** Whether graphics are computed by the processor. Throws if the browser has none, and for WebGPU by the processor, which takes
 *  seconds for an image, and minutes to begin. */
const graphics = {
  webgl: (): Promise<boolean> => {
    const context = new page.OffscreenCanvas(1, 1).getContext('webgl2');
    if (!context) throw new Error('the browser has no WebGL here');
    const names = context.getExtension('WEBGL_debug_renderer_info');
    return Promise.resolve(SOFTWARE.test(String(names && context.getParameter(names.UNMASKED_RENDERER_WEBGL))));
  },
  webgpu: async (): Promise<boolean> => {
    const adapter = await page.navigator.gpu?.requestAdapter();
    if (!adapter) throw new Error('the browser has no WebGPU here');
    const { isFallbackAdapter, architecture, description } = adapter.info;
    if (isFallbackAdapter === true || SOFTWARE.test(`${architecture} ${description}`))
      throw new Error('this machine has no graphics card that the browser uses for WebGPU');
    return false;
  },
} as const;
const SOFTWARE = /swiftshader|llvmpipe|software/i;

const openers: Readonly<
  Record<PageWork['format'], (backend: PageWork['backend'], isPlain: boolean) => Promise<Engine>>
> = {
  async tfjs(backend, isPlain) {
    const { tf } = page;
    if (backend === 'wasm') {
      tf.env().set('WASM_HAS_MULTITHREAD_SUPPORT', false); // as on servers that do not send the headers for threads
      tf.wasm.setWasmPaths(`${ADDRESSES.packages}@tensorflow/tfjs-backend-wasm/`);
    }
    if (!(await tf.setBackend(backend))) throw new Error(`TensorFlow.js has no ${backend} in this browser`);
    await tf.ready();
    const model = await tf.loadGraphModel(`${ADDRESSES.model}model.json`);
    // TensorFlow.js warns at each run of a model that need not be run asynchronously, and is.
    const executeAsync: ExecuteAsync = (...given) =>
      isPlain ? Promise.resolve(model.execute(...given)) : model.executeAsync(...given);
    return tensorFlow(tf, { outputs: model.outputs, executeAsync });
  },
  async onnx(backend) {
    const { ort } = page;
    ort.env.wasm.numThreads = 1;
    ort.env.wasm.wasmPaths = `${ADDRESSES.packages}onnxruntime-web/`;
    const options = { executionProviders: [backend] };
    return onnxRuntime(ort, await ort.InferenceSession.create(`${ADDRESSES.model}model.onnx`, options));
  },
};
