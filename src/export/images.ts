import { readImageHeader } from '../data/image/image.js';
import { loadBatches } from '../data/pipeline/loader.js';
import type { Dataset, Sample } from '../data/sample.js';
import { findInputs, type Input } from '../predict/inputs/findInputs.js';
import { readInput } from '../predict/inputs/readInput.js';
import { checkImage, readView, sourceOf } from '../predict/readImage.js';
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

/** The images that a name stands for, as those of `predict` do: a folder, a file, a pattern. Throws E_PREDICT_INPUT if
 *  there are none, and the error of one that cannot be read. */
export async function otherImages(name: string, signal: AbortSignal | undefined): Promise<readonly Input[]> {
  const found = await findInputs([name], { signal });
  return found.map((input) => {
    if ('error' in input) throw input.error;
    return input;
  });
}

/** Reads images as `predict` does. Throws E_IMAGE_MISSING, E_IMAGE_DECODE. */
export async function* imagesIn(
  inputs: readonly Input[],
  description: ModelDescription,
  signal: AbortSignal | undefined,
): AsyncGenerator<ReadImage, void, undefined> {
  for (const input of inputs) {
    signal?.throwIfAborted();
    const image = await readInput(input, process.stdin, signal);
    if (typeof image === 'object' && 'error' in image) throw image.error;
    const source = await sourceOf(checkImage(image));
    const { pixels } = await readView(source, await readImageHeader(source), description);
    yield { pixels };
  }
}
