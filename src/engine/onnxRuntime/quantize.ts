import { FinetuneError } from '../../errors.js';
import type { OnnxModel } from '../../onnx/model.js';
import { planQuantization, weightsOf } from '../../onnx/quantizable.js';
import { quantizeOnnx, type QuantizeOptions } from '../../onnx/quantize.js';
import type { Calibration, Range } from '../../onnx/ranges.js';
import type { Feeds, Results } from '../engine.js';
import { calibrate, openModel } from './calibrate.js';
import { loadOnnxRuntime, type OnnxRuntime, type OnnxRuntimeOptions } from './runtime.js';

export interface QuantizationOptions extends OnnxRuntimeOptions, Pick<QuantizeOptions, 'weightBits'> {
  /** How the range of a value is chosen; default mse. */
  readonly method?: Calibration;
  /** The loss of a model with these outputs, given the float32 model's for the same feeds; default: their difference as a
   *  share of their own size, √(Σ difference² / Σ value²), the largest of all outputs. Outputs of a net that chooses boxes
   *  inside its graph need another measure, such as the score of what they decode to. */
  readonly lossOf?: (ours: readonly Results[], expected: readonly Results[]) => number;
  /** The loss that is accepted; default 0.15. While it is larger, the most sensitive layers return to float32. */
  readonly tolerance?: number;
  /** Most layers that return to float32, as a share of all; default ¼. */
  readonly mostKept?: number;
  /** Number of feeds, from the first, on which differences are measured; default 8. */
  readonly measured?: number;
}

export interface Quantization {
  readonly model: OnnxModel;
  /** What quantisation costs, as `lossOf` measures it. */
  readonly loss: number;
  /** The layers that stayed in float32, most sensitive first, each with the loss when it alone is quantised. */
  readonly kept: readonly { readonly layer: string; readonly loss: number }[];
}

/** Makes a model compute with int8: ranges come from running it on the feeds, and layers whose quantisation costs most stay
 *  in float32. Throws E_QUANTIZE if there is nothing to calibrate with. */
export async function quantize(
  model: OnnxModel,
  feeds: readonly Feeds[],
  options: QuantizationOptions = {},
): Promise<Quantization> {
  const { method = 'mse', lossOf = difference, tolerance = 0.15, mostKept = 0.25, measured = 8 } = options;
  if (feeds.length === 0)
    throw new FinetuneError({ code: 'E_QUANTIZE', message: 'there are no images to calibrate with', fix: 'give some' });
  const runtime = await loadOnnxRuntime();
  const names = [...new Set(planQuantization(model, new Set()).values.values())];
  const ranges = await calibrate(runtime, model, names, feeds, { ...options, method });
  const few = feeds.slice(0, measured);
  const expected = await resultsOf(runtime, model, few, options);
  const attempt = async (keep: ReadonlySet<string>): Promise<Quantization> => {
    const quantized = quantizeOnnx(model, ranges, { ...options, keep });
    const loss = lossOf(await resultsOf(runtime, quantized, few, options), expected);
    return { model: quantized, loss, kept: [] };
  };

  let best = await attempt(new Set());
  if (best.loss <= tolerance) return best;
  const layers = weightsOf(model).map(({ name }) => name);
  const single = await lossesAlone({ runtime, model, ranges, layers, options }, few, expected);
  for (const count of growing(Math.floor(layers.length * mostKept))) {
    const kept = single.slice(0, count);
    const next = await attempt(new Set(kept.map(({ layer }) => layer)));
    if (next.loss < best.loss) best = { ...next, kept };
    if (best.loss <= tolerance) break;
  }
  return best;
}

/** 1, 2, 3, 4, 6, 9 and so on, half as many again each time, up to `most`. */
function growing(most: number): number[] {
  const counts: number[] = [];
  for (let count = 1; count <= most; count += Math.max(1, Math.floor(count / 2))) counts.push(count);
  return counts;
}

interface Measuring {
  readonly runtime: OnnxRuntime;
  readonly model: OnnxModel;
  readonly ranges: ReadonlyMap<string, Range>;
  readonly layers: readonly string[];
  readonly options: QuantizationOptions;
}

/** The loss when one layer alone is quantised, largest first. */
async function lossesAlone(
  { runtime, model, ranges, layers, options }: Measuring,
  feeds: readonly Feeds[],
  expected: readonly Results[],
): Promise<Quantization['kept']> {
  const { lossOf = difference } = options;
  const losses: { layer: string; loss: number }[] = [];
  const [few, wanted] = [feeds.slice(0, 2), expected.slice(0, 2)];
  for (const layer of layers) {
    const keep = new Set(layers.filter((name) => name !== layer));
    const alone = quantizeOnnx(model, ranges, { ...options, keep });
    losses.push({ layer, loss: lossOf(await resultsOf(runtime, alone, few, options), wanted) });
  }
  return losses.sort((a, b) => b.loss - a.loss);
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

/** The largest difference of an output as a share of its own size, √(Σ difference² / Σ value²). */
export function difference(ours: readonly Results[], expected: readonly Results[]): number {
  const keys = Object.keys(expected[0]!);
  return Math.max(
    ...keys.map((key) => {
      let [off, all] = [0, 1e-12];
      expected.forEach((result, i) => {
        const [a, b] = [ours[i]![key]!, result[key]!];
        for (let k = 0; k < b.length; k++) {
          off += (a[k]! - b[k]!) ** 2;
          all += b[k]! ** 2;
        }
      });
      return Math.sqrt(off / all);
    }),
  );
}
