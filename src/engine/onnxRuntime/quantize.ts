import { encodeOnnx } from '../../onnx/encode.js';
import type { OnnxModel, Port } from '../../onnx/model.js';
import { planQuantization, weightsOf } from '../../onnx/quantizable.js';
import { quantizeOnnx, type QuantizeOptions } from '../../onnx/quantize.js';
import { keepSensitive, type Kept } from '../../quantize/keepSensitive.js';
import type { Calibration } from '../../quantize/ranges.js';
import { calibrate, difference } from '../calibrate.js';
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
  const inside = await openModel(runtime, returning(model, names), options);
  const ranges = await calibrate((fed) => inside.run(fed), names, feeds, method).finally(() => inside.release());
  const few = feeds.slice(0, measured);
  const run = (one: OnnxModel, count = few.length): Promise<Results[]> =>
    resultsOf(runtime, one, few.slice(0, count), options);
  return keepSensitive({
    layers: weightsOf(model).map(({ name }) => name),
    write: (keep) => quantizeOnnx(model, ranges, { ...options, keep }),
    run,
    expected: await run(model),
    lossOf,
    sensitivityOf,
    tolerance,
    mostKept,
  });
}

/** The model with other values as its outputs. */
function returning(model: OnnxModel, names: readonly string[]): OnnxModel {
  const outputs = names.map((name): Port => ({ key: name, name, dtype: 'float32', shape: undefined }));
  return { ...model, outputs };
}

async function openModel(runtime: OnnxRuntime, model: OnnxModel, options: OnnxRuntimeOptions) {
  const session = await runtime.open(encodeOnnx(model), options);
  const inputs = model.inputs.map(({ key, dtype, shape }) => ({ name: key, dtype, shape: shape! }));
  return {
    run(feeds: Feeds): Promise<Results> {
      checkFeeds('calibration', inputs, feeds);
      return call(runtime, 'calibration', { session, inputs: model.inputs, outputs: model.outputs }, feeds);
    },
    release: () => session.release(),
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
    await running.release();
  }
}
