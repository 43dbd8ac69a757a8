import { randomStream } from '../../random.js';
import type { AugmentOptions } from './augment/augment.js';
import type { WholeImageAugment } from './augment/augmentWhole.js';
import { pasteObjects } from './augment/copyPaste.js';
import { cutHoles } from './augment/cutout.js';
import { loadSample, type SampleOptions } from './loadSample.js';
import { drawShare, mixSamples } from './augment/mixup.js';
import { drawTiles, joinTiles, planTile } from './augment/mosaic.js';
import type { Dataset, Sample } from '../sample.js';
import { augmentAt } from './augment/strength.js';
import type { TextAugment } from './augment/augmentText.js';

export interface TrainingSampleOptions extends Pick<
  SampleOptions,
  'size' | 'resize' | 'limits' | 'cropFraction' | 'interpolation' | 'isKnown'
> {
  readonly augment?: AugmentOptions | WholeImageAugment | TextAugment | false;
  readonly seed?: number;
  readonly epoch?: number;
  /** Epochs of the run: what the strength of the augmentation is drawn out over. */
  readonly epochs?: number;
  /** Sets apart draws of one image in one epoch. */
  readonly draw?: string;
}

/** Annotations whose size was held against the image's header: once in a run is enough. */
const sizeChecked = new WeakSet();

/** One image of a part as an epoch has it, with what others lend to it. Seed, epoch, place and `draw` alone decide what is random
 *  about it; all decoding is dispatched before this function returns its promise.
 *  Throws what loadSample throws. */
export async function loadTrainingSample(
  dataset: Dataset,
  index: number,
  { augment = false, seed = 0, epoch = 0, epochs = epoch + 1, draw = '', ...options }: TrainingSampleOptions,
): Promise<Sample> {
  const name = `augment/${epoch}/${index}${draw}`;
  const changes =
    augment && !('zoom' in augment) && !('cropArea' in augment) ? augmentAt(augment, epoch, epochs) : undefined;
  const { mosaic = 0, mixup = 0, copyPaste = 0, cutout = 0 } = changes ?? {};
  const random = randomStream(seed, `${name}/others`);
  const others = dataset.annotations.length;
  const single = (row: number, stream: string, isKnown?: SampleOptions['isKnown']) =>
    load(dataset, row, { ...options, augment: changes ?? augment, random: randomStream(seed, stream), isKnown });

  const base =
    changes && random.chance(mosaic)
      ? loadMosaic(dataset, index, changes, options, (tile) => randomStream(seed, `${name}/tile ${tile}`))
      : single(index, name, options.isKnown);
  const donor = random.chance(copyPaste) ? single(random.integer(0, others), `${name}/donor`) : undefined;
  const partner = random.chance(mixup) ? single(random.integer(0, others), `${name}/partner`) : undefined;
  const [start, lent, shining] = await Promise.all([base, donor, partner]);

  let sample = start;
  if (lent) sample = pasteObjects(sample, lent, random);
  if (shining) sample = mixSamples(sample, shining, drawShare(random));
  if (random.chance(cutout)) sample = cutHoles(sample, random);
  return sample;
}

/** The image and three others, each in a tile. */
async function loadMosaic(
  dataset: Dataset,
  index: number,
  changes: AugmentOptions,
  { size, resize = 'stretch' }: Pick<SampleOptions, 'size' | 'resize'>,
  streamOf: (tile: number | 'order') => ReturnType<typeof randomStream>,
): Promise<Sample> {
  const order = streamOf('order');
  const tiles = order.shuffle(drawTiles(size, order)); // the first image is not always in the same corner
  const samples = tiles.map((tile, i) => {
    const row = i === 0 ? index : order.integer(0, dataset.annotations.length);
    const plan = planTile(dataset.annotations[row]!, tile, { size, resize }, changes, streamOf(i));
    return load(dataset, row, { size: [tile.height, tile.width], resize: 'stretch', plan });
  });
  return joinTiles(await Promise.all(samples), tiles, size);
}

async function load({ annotations }: Dataset, row: number, options: SampleOptions): Promise<Sample> {
  const annotation = annotations[row]!;
  const sample = await loadSample(annotation, { ...options, checkSize: !sizeChecked.has(annotation) });
  sizeChecked.add(annotation);
  return sample;
}
