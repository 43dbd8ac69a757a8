import { FinetuneError } from '../../errors.js';
import { encodeOnnx } from '../../onnx/encode.js';
import type { OnnxModel, Port } from '../../onnx/model.js';
import {
  addValues,
  chooseRange,
  createHistogram,
  nothingSeen,
  widen,
  type Calibration,
  type Histogram,
  type Range,
} from '../../onnx/ranges.js';
import { checkFeeds, type Feeds, type Results } from '../engine.js';
import type { OnnxRuntime, OnnxRuntimeOptions } from './runtime.js';
import { call } from './call.js';

/** A loaded model that returns its outputs, or values inside it. */
export interface Running {
  run(feeds: Feeds): Promise<Results>;
  release(): Promise<void>;
}

export async function openModel(runtime: OnnxRuntime, model: OnnxModel, options: OnnxRuntimeOptions): Promise<Running> {
  const session = await runtime.open(encodeOnnx(model), options);
  return {
    run(feeds) {
      checkFeeds('calibration', model.inputs.map(({ key, dtype, shape }) => ({ name: key, dtype, shape: shape! })), feeds); // prettier-ignore
      return call(runtime, 'calibration', { session, inputs: model.inputs, outputs: model.outputs }, feeds);
    },
    release: () => session.release(),
  };
}

/** The model with other values as its outputs. */
function returning(model: OnnxModel, names: readonly string[]): OnnxModel {
  const outputs = names.map((name): Port => ({ key: name, name, dtype: 'float32', shape: undefined }));
  return { ...model, outputs };
}

/** Runs the float32 model on all feeds and chooses a range for each named value. */
export async function calibrate(
  runtime: OnnxRuntime,
  model: OnnxModel,
  names: readonly string[],
  feeds: readonly Feeds[],
  { method, ...options }: OnnxRuntimeOptions & { readonly method: Calibration },
): Promise<ReadonlyMap<string, Range>> {
  const running = await openModel(runtime, returning(model, names), options);
  try {
    const seen = new Map<string, Range>();
    for (const fed of feeds) {
      for (const [name, values] of Object.entries(await running.run(fed)))
        seen.set(name, widen(seen.get(name) ?? nothingSeen, values));
    }
    const wrong = names.filter((name) => !Number.isFinite(seen.get(name)?.min));
    if (wrong.length > 0) {
      const message = `calibration found no finite value of ${wrong.slice(0, 3).join(', ')}`;
      throw new FinetuneError({
        code: 'E_QUANTIZE',
        message,
        fix: 'calibrate with images, on a model with finite weights',
      });
    }
    if (method === 'minMax') return seen;
    const histograms = new Map<string, Histogram>(names.map((name) => [name, createHistogram(seen.get(name)!)]));
    for (const fed of feeds) {
      for (const [name, values] of Object.entries(await running.run(fed))) addValues(histograms.get(name)!, values);
    }
    return new Map([...histograms].map(([name, histogram]) => [name, chooseRange(histogram, method)]));
  } finally {
    await running.release();
  }
}
