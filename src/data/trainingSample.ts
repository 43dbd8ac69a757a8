import { randomStream } from '../random.js';
import type { AugmentOptions } from './augment.js';
import { loadSample, type SampleOptions } from './loadSample.js';
import type { Dataset, Sample } from './sample.js';

export interface TrainingSampleOptions extends Pick<SampleOptions, 'size' | 'resize' | 'isKnown'> {
  readonly augment?: AugmentOptions | false;
  readonly seed?: number;
  readonly epoch?: number;
  /** Set apart draws of one image in one epoch. */
  readonly draw?: string;
}

/** Annotations whose size was held against the image's header: once in a run is enough. */
const sizeChecked = new WeakSet();

/** One image of a part as an epoch has it. Seed, epoch, place and `draw` alone decide what is random about it.
 *  Throws what loadSample throws. */
export async function loadTrainingSample(
  { annotations }: Dataset,
  index: number,
  { seed = 0, epoch = 0, draw = '', ...options }: TrainingSampleOptions,
): Promise<Sample> {
  const annotation = annotations[index]!;
  const random = randomStream(seed, `augment/${epoch}/${index}${draw}`);
  const sample = await loadSample(annotation, { ...options, random, checkSize: !sizeChecked.has(annotation) });
  sizeChecked.add(annotation);
  return sample;
}
