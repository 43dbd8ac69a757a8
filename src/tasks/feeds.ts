import type { Sample } from '../data/sample.js';
import { FinetuneError } from '../errors.js';
import type { Network, Targets } from './network.js';

/** The name of a session's program for inputs of this size. Programs for the task's first size have the kind alone as
 *  their name. */
export function programName(
  kind: string,
  [height, width]: readonly [number, number],
  { sizes = [] }: Pick<Network<unknown>, 'sizes'>,
): string {
  const later = sizes.slice(1).some(([h, w]) => h === height && w === width);
  return later ? `${kind}/${height}x${width}` : kind;
}

/** Values of the pixels of a batch at most: 8 GiB. */
const MOST_VALUES = 2 ** 31;

/** Pixels of a batch as the network's input: [batch, height, width, 3] in 0…255; rows without a sample are 0. They are
 *  written to `memory` if it has that size. Throws E_FEED if they are too many. */
export function imageFeed(
  samples: readonly Pick<Sample, 'picture'>[],
  batch: number,
  [height, width]: readonly [number, number],
  memory?: Float32Array,
): Float32Array {
  const stride = height * width * 3;
  if (batch * stride > MOST_VALUES) {
    const message = `a batch of ${batch} images of ${width}x${height} pixels does not fit into memory`;
    throw new FinetuneError({ code: 'E_FEED', message, fix: 'lower the batch, or the size of the input' });
  }
  const image = memory?.length === batch * stride ? memory : new Float32Array(batch * stride);
  image.fill(0, samples.length * stride);
  for (const [i, { picture }] of samples.entries()) image.set(picture.data, i * stride);
  return image;
}

/** Targets of a batch of inputs of this size, one array per input. Rows without a sample add nothing to the loss. */
export function targetFeeds(
  encoded: readonly Targets[],
  batch: number,
  task: Pick<Network<unknown>, 'blank'>,
  size?: readonly [number, number],
): Targets {
  const targets = [...encoded];
  while (targets.length < batch) targets.push(task.blank(size));
  const names = Object.keys(targets[0]!);
  return Object.fromEntries(names.map((name) => [name, stack(targets.map((target) => target[name]!))]));
}

function stack(parts: readonly (Float32Array | Int32Array)[]): Float32Array | Int32Array {
  const [first] = parts;
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const whole = first instanceof Int32Array ? new Int32Array(length) : new Float32Array(length);
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}
