import { readImageHeader } from '../data/image/image.js';
import { loadBatches } from '../data/pipeline/loader.js';
import type { Dataset, Sample } from '../data/sample.js';
import { findInputs } from '../predict/inputs/findInputs.js';
import { readView } from '../predict/readImage.js';
import type { Recipe } from '../recipe/schema.js';
import { taskOptions } from '../run/taskOptions.js';
import type { ModelDescription } from '../tasks/description/description.js';
import { imageFeed } from '../tasks/feeds.js';

/** An image as the network reads it. */
export interface ReadImage {
  /** [1, height, width, 3], RGB 0…255. */
  readonly pixels: Float32Array;
  /** The image with its annotations, if it has some. */
  readonly sample?: Sample;
}

/** Reads the images of a part as validation does. */
export async function* imagesOf(
  dataset: Dataset,
  recipe: Recipe,
  size: readonly [number, number],
  signal: AbortSignal | undefined,
): AsyncGenerator<ReadImage, void, undefined> {
  const options = { ...taskOptions(recipe).images, batch: 1, size, augment: false, shuffle: false, signal } as const;
  for await (const { samples } of loadBatches(dataset, options))
    if (samples.length > 0) yield { pixels: imageFeed(samples, 1, size), sample: samples[0]! };
}

/** Reads the first images of a folder. Throws E_PREDICT_INPUT if it has none, and the error of an image that cannot be read. */
export async function* imagesIn(
  folder: string,
  description: ModelDescription,
  most: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<ReadImage, void, undefined> {
  for (const input of (await findInputs([folder], { signal })).slice(0, most)) {
    signal?.throwIfAborted();
    if ('error' in input) throw input.error;
    const file = String(input.path);
    const { pixels } = await readView(file, await readImageHeader(file), description);
    yield { pixels };
  }
}
