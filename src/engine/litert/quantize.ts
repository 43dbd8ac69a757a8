import type { Params } from '../../graph/params.js';
import type { Program } from '../../graph/program.js';
import type { Value } from '../../graph/spec.js';
import { keepSensitive, type Kept } from '../../quantize/keepSensitive.js';
import { encodeTflite } from '../../tflite/encode.js';
import type { TfliteModel } from '../../tflite/model.js';
import { layersOf } from '../../tflite/quantizable.js';
import { measuredTensors, quantizeTflite } from '../../tflite/quantize.js';
import { calibrate } from '../calibrate.js';
import type { Feeds, Results } from '../engine.js';
import { compileOnnx } from '../onnxRuntime/session.js';
import { loadLiteRt } from './runtime.js';

export interface TfliteQuantization {
  readonly feeds: readonly Feeds[];
  /** Number of feeds, from the first, on which the loss is measured. */
  readonly measured: number;
  readonly lossOf: (ours: readonly Results[], expected: readonly Results[]) => number;
  /** What tells sensitive layers from others on few feeds; default: the loss. */
  readonly sensitivityOf?: ((ours: readonly Results[], expected: readonly Results[]) => number) | undefined;
  /** The loss that is accepted. */
  readonly tolerance: number;
}

/** Most layers that return to float32, as a share of all. */
const MOST_KEPT = 0.25;

/** Makes a TFLite model compute with int8: ranges come from running its graph on the feeds in ONNX Runtime, and layers whose
 *  quantisation costs most stay in float32. Throws E_QUANTIZE if there is nothing to calibrate with. */
export async function quantize(
  model: TfliteModel,
  params: Params,
  { feeds, measured, lossOf, sensitivityOf, tolerance }: TfliteQuantization,
): Promise<Kept<TfliteModel>> {
  const measuredIn = new Map<Value, string>(); // several tensors have the range of one value
  const owners = measuredTensors(model).map((tensor): [string, string] => {
    const value = model.values.get(tensor)!;
    const owner = measuredIn.get(value) ?? tensor;
    measuredIn.set(value, owner);
    return [tensor, owner];
  });
  const inside: Program = { outputs: Object.fromEntries([...measuredIn].map(([value, name]) => [name, value])) };
  const session = await compileOnnx({ inside }, params);
  const names = [...measuredIn.values()];
  const found = await calibrate((fed) => session.run('inside', fed), names, feeds, 'mse').finally(() => {
    session.dispose();
  });
  const ranges = new Map(owners.map(([tensor, owner]) => [tensor, found.get(owner)!]));
  const few = feeds.slice(0, measured);
  const run = (one: TfliteModel, count = few.length): Promise<Results[]> => resultsOf(one, few.slice(0, count));
  return keepSensitive({
    layers: layersOf(model),
    write: (keep) => quantizeTflite(model, ranges, keep),
    run,
    expected: await run(model),
    lossOf,
    sensitivityOf,
    tolerance,
    mostKept: MOST_KEPT,
  });
}

async function resultsOf(model: TfliteModel, feeds: readonly Feeds[]): Promise<Results[]> {
  const runtime = await loadLiteRt();
  const loaded = await runtime.open(encodeTflite(model));
  try {
    const results: Results[] = [];
    for (const fed of feeds) {
      const outputs = await loaded.run(loaded.inputs.map((name) => fed[name]!));
      results.push(Object.fromEntries(outputs.map((values, i) => [loaded.outputs[i]!, values as Float32Array])));
    }
    return results;
  } finally {
    loaded.dispose();
  }
}
