import { randomStream } from '../../random.js';
import { byKind, ofKind, type Dataset, type Sample } from '../sample.js';
import type { Augment } from './augment/kinds.js';
import { augmentAt } from './augment/strength.js';
import { loadBoxesAmongOthers } from './boxTraining.js';
import { loadSample } from './loadSample.js';
import type { SampleOptions } from './readPicture.js';

export interface TrainingSampleOptions extends Pick<
  SampleOptions,
  'size' | 'resize' | 'limits' | 'cropFraction' | 'interpolation' | 'isKnown'
> {
  readonly augment?: Augment | false;
  readonly seed?: number;
  readonly epoch?: number;
  /** Epochs of the run, over which the strength of the augmentation changes. */
  readonly epochs?: number;
  /** Distinguishes repeated samples of the same image within an epoch. */
  readonly draw?: string;
}

/** One image of a part as an epoch has it, with what other images lend to it. Seed, epoch, place and `draw` alone
 *  decide what is random about it; all decoding is dispatched before this function returns its promise. Throws what
 *  loadSample throws. */
export async function loadTrainingSample(
  dataset: Dataset,
  index: number,
  { augment = false, seed = 0, epoch = 0, epochs = epoch + 1, draw = '', ...options }: TrainingSampleOptions,
): Promise<Sample> {
  const annotation = dataset.annotations[index]!;
  const name = `augment/${epoch}/${index}${draw}`;
  const reading = { ...options, checkSize: 'once' } as const;
  const alone = () => loadSample(annotation, { ...reading, augment, random: randomStream(seed, name) });
  return byKind(annotation, {
    boxes: () => {
      if (!augment) return alone();
      const changes = augmentAt(ofKind(augment, 'boxes'), epoch, epochs);
      return loadBoxesAmongOthers(dataset, index, changes, reading, (part = '') => randomStream(seed, name + part));
    },
    text: alone,
    wholeImage: alone,
  });
}
