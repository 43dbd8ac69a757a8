import { readImageHeader } from '../data/image/image.js';
import { loadBatches } from '../data/pipeline/loader.js';
import type { Dataset, Sample } from '../data/sample.js';
import { FinetuneError } from '../errors.js';
import { findInputs } from '../predict/inputs/findInputs.js';
import { readInput } from '../predict/inputs/readInput.js';
import { checkImage, readView, sourceOf } from '../predict/readImage.js';
import type { Recipe } from '../recipe/schema.js';
import { taskOptions } from '../run/taskOptions.js';
import type { ModelDescription } from '../tasks/description/description.js';
import { imageFeed } from '../tasks/feeds.js';
import type { Hooks } from './source.js';

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
 *  there are none, and the error of the last one if none can be read. */
export async function otherImages(name: string, signal: AbortSignal | undefined): Promise<OtherImages> {
  const found = await findInputs([name], { signal });
  for (const input of found) {
    if (!('error' in input)) return found;
    if (input === found.at(-1)) throw input.error;
  }
  return found;
}

/** Images that are not of the data of a run; some may be found to be unreadable. */
export type OtherImages = Awaited<ReturnType<typeof findInputs>>;

/** Reads images as `predict` does. One that cannot be read is left out, with a message. Throws E_IMAGE_MISSING or
 *  E_IMAGE_DECODE if none can be read. */
export async function* imagesIn(
  inputs: OtherImages,
  description: ModelDescription,
  { signal, onProgress }: Hooks,
): AsyncGenerator<ReadImage, void, undefined> {
  let failed: FinetuneError | undefined;
  let read = 0;
  for (const input of inputs) {
    signal?.throwIfAborted();
    try {
      const pixels = await readOther(input, description, signal);
      read++;
      yield { pixels };
    } catch (error) {
      if (!(error instanceof FinetuneError) || !error.code.startsWith('E_IMAGE_')) throw error;
      failed = error;
      onProgress?.({ message: `left out: ${input.name}: ${error.problems[0]!.message}` });
    }
  }
  if (failed && read === 0) throw failed;
}

async function readOther(
  input: OtherImages[number],
  description: ModelDescription,
  signal: AbortSignal | undefined,
): Promise<Float32Array> {
  const image = 'error' in input ? input : await readInput(input, process.stdin, signal);
  if (typeof image === 'object' && 'error' in image) throw image.error;
  const source = await sourceOf(checkImage(image));
  const { pixels } = await readView(source, await readImageHeader(source), description);
  return Float32Array.from(pixels);
}
