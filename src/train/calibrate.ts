import type { Dataset } from '../data/sample.js';
import { loadBatches, type ImageOptions } from '../data/pipeline/loader.js';
import type { Backend } from '../engine/backend.js';
import { compile } from '../engine/compile.js';
import { parametersOf } from '../graph/program.js';
import * as b from '../graph/builder.js';
import { isOp } from '../graph/builder.js';
import type { Param, Params } from '../graph/params.js';
import type { Value } from '../graph/spec.js';
import { paramAttrs } from '../graph/slots.js';
import type { Model } from '../tasks/model.js';
import { imageFeed } from '../tasks/feeds.js';

/** Number of batches that the statistics are measured on. */
const BATCHES = 8;

interface Moments {
  readonly mean: Float32Array;
  readonly variance: Float32Array;
}

/** Gives BatchNorms that were loaded folded (scale 1, mean 0, variance 1 − ε) the statistics that their inputs really
 *  have, and adapts scale and shift to them. The network computes the same function, and can now be trained with the
 *  statistics of its batches; without this they would renormalise every layer and destroy the pretrained function.
 *  `trains` selects the BatchNorms by their path. */
export async function calibrateBatchNorm(
  model: Model,
  dataset: Dataset,
  backend: Backend,
  trains: (path: string) => boolean,
  options: ImageOptions & { readonly batch: number },
): Promise<Model> {
  const { batch } = options;
  const paths = model.folded.filter(trains);
  const { outputs } = model.task.build({ batch, size: model.size, trainBatchNorm: () => false });
  const { graph } = Object.values(outputs)[0]!.node;
  const probes: Record<string, Value> = {};
  for (const node of [...graph.nodes]) {
    if (!isOp(node, 'batchNorm')) continue;
    const path = paramAttrs(node.inputs[1]!).name.replace(/\.weight$/, '');
    if (!paths.includes(path)) continue;
    const [x] = node.inputs as [Value];
    const count = x.shape[0]! * x.shape[1]! * x.shape[2]!;
    const mean = b.mul(b.sum(x, [0, 1, 2]), 1 / count);
    probes[`${path}.mean`] = mean;
    probes[`${path}.variance`] = b.mul(b.sum(b.square(b.sub(x, mean)), [0, 1, 2]), 1 / count);
  }
  const programs = { probe: { outputs: probes } };
  const session = await compile(programs, backend);
  const sums = new Map<string, { mean: Float64Array; square: Float64Array }>();
  let batches = 0;
  try {
    const wanted = parametersOf(programs);
    await session.write(new Map([...model.params].filter(([name]) => wanted.has(name))));
    const loading = {
      ...options,
      size: model.size,
      buckets: undefined, // one input shape is enough for the statistics
      epoch: 0,
      seed: 0,
      augment: false as const,
      shuffle: true,
      dropLast: true,
    };
    for await (const { samples } of loadBatches(dataset, loading)) {
      const measured = await session.run('probe', { image: imageFeed(samples, batch, model.size) });
      for (const path of paths) addMoments(sums, path, measured[`${path}.mean`]!, measured[`${path}.variance`]!);
      if (++batches === BATCHES) break;
    }
  } finally {
    session.dispose();
  }
  if (batches === 0) return model; // fewer images than a batch
  const params: Params = new Map(model.params);
  for (const path of paths) {
    const { mean, square } = sums.get(path)!;
    const moments = { mean: Float32Array.from(mean, (sum) => sum / batches), variance: new Float32Array(mean.length) };
    for (const [c, sum] of square.entries()) moments.variance[c] = Math.max(sum / batches - moments.mean[c]! ** 2, 0);
    for (const [name, param] of renormalise(params, path, moments, model.backbone.style.epsilon))
      params.set(name, param);
  }
  return { ...model, params, folded: model.folded.filter((path) => !trains(path)) };
}

function addMoments(
  sums: Map<string, { mean: Float64Array; square: Float64Array }>,
  path: string,
  mean: Float32Array,
  variance: Float32Array,
): void {
  const sum = sums.get(path) ?? { mean: new Float64Array(mean.length), square: new Float64Array(mean.length) };
  for (const [c, value] of mean.entries()) {
    sum.mean[c]! += value;
    sum.square[c]! += variance[c]! + value ** 2;
  }
  sums.set(path, sum);
}

/** Expresses the same affine map with other statistics: scale' = scale·σ'/σ, shift' = shift + scale·(mean' − mean)/σ. */
function renormalise(params: Params, path: string, { mean, variance }: Moments, epsilon: number): [string, Param][] {
  const [scale, shift, oldMean, oldVariance] = ['weight', 'bias', 'running_mean', 'running_var'].map(
    (name) => params.get(`${path}.${name}`)!.data,
  ) as [Float32Array, Float32Array, Float32Array, Float32Array];
  const sigma = oldVariance.map((value) => Math.sqrt(value + epsilon));
  const { shape } = params.get(`${path}.weight`)!;
  return [
    [
      `${path}.weight`,
      { shape, data: scale.map((value, c) => (value * Math.sqrt(variance[c]! + epsilon)) / sigma[c]!) },
    ],
    [
      `${path}.bias`,
      { shape, data: shift.map((value, c) => value + (scale[c]! * (mean[c]! - oldMean[c]!)) / sigma[c]!) },
    ],
    [`${path}.running_mean`, { shape, data: mean }],
    [`${path}.running_var`, { shape, data: variance }],
  ];
}
