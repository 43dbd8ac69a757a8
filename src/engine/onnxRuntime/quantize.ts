import { encodeOnnx } from '../../onnx/encode.js';
import type { OnnxModel, Port } from '../../onnx/model.js';
import { planQuantization, weightsOf } from '../../onnx/quantizable.js';
import { channelsRead, quantizeOnnx, type QuantizeOptions } from '../../onnx/quantize.js';
import { keepSensitive, type Kept } from '../../quantize/keepSensitive.js';
import type { Calibration } from '../../quantize/ranges.js';
import { calibrate, channelMeans, difference } from '../calibrate.js';
import { checkFeeds, type Feeds, type Results } from '../engine.js';
import { call } from './call.js';
import { loadOnnxRuntime, type OnnxRuntime, type OnnxRuntimeOptions } from './runtime.js';

export interface QuantizationOptions extends OnnxRuntimeOptions, Pick<QuantizeOptions, 'weightBits'> {
  /** How the range of a value is chosen; default mse. */
  readonly method?: Calibration;
  /** The loss of a model with these outputs, given the float32 model's for the same feeds; default: their difference as a
   *  share of their own size, √(Σ difference² / Σ value²), the largest of all outputs. Outputs of a net that chooses boxes
   *  inside its graph need another measure, such as the score of what they decode to. */
  readonly lossOf?: (ours: readonly Results[], expected: readonly Results[]) => number;
  /** What tells sensitive layers from others on few feeds; default: the loss. */
  readonly sensitivityOf?: (ours: readonly Results[], expected: readonly Results[]) => number;
  /** The loss that is accepted; default 0.15. While it is larger, the most sensitive layers return to float32. */
  readonly tolerance?: number;
  /** Most layers that return to float32, as a share of all; default ¼. */
  readonly mostKept?: number;
  /** Number of feeds, from the first, on which differences are measured; default 8. */
  readonly measured?: number;
}

/** Makes a model compute with int8: ranges come from running it on the feeds, and layers whose quantisation costs most stay
 *  in float32. Throws E_QUANTIZE if there is nothing to calibrate with. */
export async function quantize(
  model: OnnxModel,
  feeds: readonly Feeds[],
  options: QuantizationOptions = {},
): Promise<Kept<OnnxModel>> {
  const { method = 'mse', lossOf = difference, sensitivityOf, tolerance = 0.15 } = options;
  const { mostKept = 0.25, measured = 8 } = options;
  const runtime = await loadOnnxRuntime();
  const names = [...new Set(planQuantization(model, new Set()).values.values())];
  const ranges = await inside(runtime, model, names, options, (run) => calibrate(run, names, feeds, method));
  const layers = weightsOf(model);
  const shapes = new Map(model.initializers.map(({ name, shape }) => [name, shape]));
  const channels = new Map(layers.map((node) => [node.inputs[0]!, channelsRead(node, shapes.get(node.inputs[1]!)!)]));
  const means = await inside(runtime, model, [...channels.keys()], options, (run) =>
    channelMeans(run, channels, feeds),
  );
  const few = feeds.slice(0, measured);
  const run = (one: OnnxModel, count = few.length): Promise<Results[]> =>
    resultsOf(runtime, one, few.slice(0, count), options);
  return keepSensitive({
    layers: layers.map(({ name }) => name),
    write: (keep) => quantizeOnnx(model, ranges, { ...options, keep, means }),
    run,
    expected: await run(model),
    lossOf,
    sensitivityOf,
    tolerance,
    mostKept,
  });
}

/** Hands over a function that runs the model and returns values between its layers. */
async function inside<Found>(
  runtime: OnnxRuntime,
  model: OnnxModel,
  names: readonly string[],
  options: OnnxRuntimeOptions,
  use: (run: (fed: Feeds) => Promise<Results>) => Promise<Found>,
): Promise<Found> {
  const outputs = names.map((name): Port => ({ key: name, name, dtype: 'float32', shape: undefined }));
  const opened = await openModel(runtime, { ...model, outputs }, options);
  return use((fed) => opened.run(fed)).finally(() => {
    opened.release();
  });
}

async function openModel(runtime: OnnxRuntime, model: OnnxModel, options: OnnxRuntimeOptions) {
  const session = await runtime.open(encodeOnnx(model), options);
  const inputs = model.inputs.map(({ key, dtype, shape }) => ({ name: key, dtype, shape: shape! }));
  return {
    run(feeds: Feeds): Promise<Results> {
      checkFeeds('calibration', inputs, feeds);
      return call('calibration', { session, inputs: model.inputs, outputs: model.outputs }, feeds);
    },
    release: () => {
      session.release();
    },
  };
}

async function resultsOf(
  runtime: OnnxRuntime,
  model: OnnxModel,
  feeds: readonly Feeds[],
  options: OnnxRuntimeOptions,
): Promise<Results[]> {
  const running = await openModel(runtime, model, options);
  try {
    const results: Results[] = [];
    for (const fed of feeds) results.push(await running.run(fed));
    return results;
  } finally {
    running.release();
  }
}
