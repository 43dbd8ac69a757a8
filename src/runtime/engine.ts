import { FinetuneError } from '../errors.js';

/** A model that an engine has loaded. The functions below make one of what the engines return; another engine needs no more than
 *  this method. */
export interface Engine {
  /** Computes the named outputs for the input of this name, shape and row-major values. */
  run(
    input: { readonly name: string; readonly shape: readonly number[]; readonly data: Float32Array },
    outputs: readonly string[],
  ): Promise<Readonly<Record<string, Float32Array>>>;
}

type Values = ArrayLike<number> | ArrayLike<bigint>;
const floats = (values: Values): Float32Array =>
  values instanceof Float32Array ? values : Float32Array.from(values as ArrayLike<number>, Number);

/** The tensor of each named output. Throws E_RUNTIME_OUTPUT if the model has none of that name. */
function pick<T>(found: Readonly<Record<string, T>>, names: readonly string[]): T[] {
  return names.map((name) => {
    const tensor = found[name];
    if (tensor !== undefined) return tensor;
    throw new FinetuneError({
      code: 'E_RUNTIME_OUTPUT',
      message: `the engine has no output "${name}": its outputs are ${Object.keys(found).join(', ') || 'none'}`,
      fix: 'load the model that lies beside this model-card.json',
    });
  });
}

const named = (names: readonly string[], values: readonly Float32Array[]): Record<string, Float32Array> =>
  Object.fromEntries(names.map((name, i) => [name, values[i]!]));

/** What this module uses of onnxruntime-web and onnxruntime-node. */
interface OnnxRuntime<T> {
  readonly Tensor: new (type: 'float32', data: Float32Array, dims: readonly number[]) => T;
}
interface OnnxSession<T> {
  run(feeds: Record<string, T>): Promise<Readonly<Record<string, unknown>>>;
}

/** An `InferenceSession` of onnxruntime-web or onnxruntime-node; `ort` is the package. */
export const onnxRuntime = <T>(ort: OnnxRuntime<T>, session: OnnxSession<T>): Engine => ({
  async run({ name, shape, data }, outputs) {
    const found = await session.run({ [name]: new ort.Tensor('float32', data, shape) });
    const tensors = pick(found as Record<string, { readonly data: Values }>, outputs);
    return named(
      outputs,
      tensors.map((tensor) => floats(tensor.data)),
    );
  },
});

/** What this module uses of TensorFlow.js. */
interface TfTensor {
  data(): Promise<Values>;
  dispose(): void;
}
interface TensorFlow<T extends TfTensor> {
  tensor(data: Float32Array, shape: number[], type: 'float32'): T;
}
interface GraphModel<T extends TfTensor> {
  readonly outputs: readonly { readonly name: string }[];
  executeAsync(inputs: Record<string, T>, outputs: string[]): Promise<unknown>;
}

/** A model that `tf.loadGraphModel` returned; `tf` is @tensorflow/tfjs, or its core. */
export const tensorFlow = <T extends TfTensor>(tf: TensorFlow<T>, model: GraphModel<T>): Engine => ({
  async run({ name, shape, data }, outputs) {
    const known = Object.fromEntries(model.outputs.map((output) => [output.name.replace(/:0$/, ''), true]));
    pick(known, outputs);
    const input = tf.tensor(data, [...shape], 'float32');
    try {
      const found = await model.executeAsync({ [name]: input }, [...outputs]);
      const tensors = (Array.isArray(found) ? found : [found]) as TfTensor[];
      const values = await Promise.all(tensors.map(async (tensor) => floats(await tensor.data())));
      for (const tensor of tensors) tensor.dispose();
      return named(outputs, values);
    } finally {
      input.dispose();
    }
  },
});

/** What this module uses of LiteRT.js. */
interface LiteTensor {
  data(): Promise<Values>;
  delete(): void;
}
interface LiteRt<T extends LiteTensor> {
  readonly Tensor: new (data: Float32Array, shape: readonly number[]) => T;
}
interface CompiledModel<T extends LiteTensor> {
  run(input: Record<string, T>): Promise<Readonly<Record<string, T>>>;
}

/** A model that `loadAndCompile` of @litertjs/core returned; `litert` is the package. */
export const liteRt = <T extends LiteTensor>(litert: LiteRt<T>, model: CompiledModel<T>): Engine => ({
  async run({ name, shape, data }, outputs) {
    const input = new litert.Tensor(data, shape);
    const found = await model.run({ [name]: input });
    try {
      const tensors = pick(found, outputs);
      return named(outputs, await Promise.all(tensors.map(async (tensor) => floats(await tensor.data()))));
    } finally {
      for (const tensor of [input, ...Object.values(found)]) tensor.delete();
    }
  },
});
