import type { RandomStream } from '../../random.js';
import { ofKind, type BoxAnnotation, type BoxSample, type Dataset } from '../sample.js';
import type { BoxAugment } from './augment/augment.js';
import { pasteObjects } from './augment/copyPaste.js';
import { cutHoles } from './augment/cutout.js';
import { drawShare, mixSamples } from './augment/mixup.js';
import { drawTiles, joinTiles, planTile } from './augment/mosaic.js';
import { loadBoxSample } from './boxSample.js';
import type { SampleOptions } from './readPicture.js';

/** Gives the random numbers for the image itself, or for the named part of the sample. */
type StreamOf = (part?: string) => RandomStream;

/** One image with boxes, and what mosaic, copy-paste and mixup take from other images of the data set. */
export async function loadBoxesAmongOthers(
  dataset: Dataset,
  index: number,
  changes: BoxAugment,
  { isKnown, ...options }: Omit<SampleOptions, 'augment' | 'random'>,
  streamOf: StreamOf,
): Promise<BoxSample> {
  const { mosaic = 0, mixup = 0, copyPaste = 0, cutout = 0 } = changes;
  const random = streamOf('/others');
  const others = dataset.annotations.length;
  const single = (row: number, part: string, known?: SampleOptions['isKnown']) =>
    loadBoxSample(boxesOf(dataset, row), { ...options, augment: changes, random: streamOf(part), isKnown: known });

  const base = random.chance(mosaic)
    ? loadMosaic(dataset, index, changes, options, streamOf)
    : single(index, '', isKnown);
  const donor = random.chance(copyPaste) ? single(random.integer(0, others), '/donor') : undefined;
  const partner = random.chance(mixup) ? single(random.integer(0, others), '/partner') : undefined;
  const [start, lent, shining] = await Promise.all([base, donor, partner]);

  let sample = start;
  if (lent) sample = pasteObjects(sample, lent, random);
  if (shining) sample = mixSamples(sample, shining, drawShare(random));
  if (random.chance(cutout)) sample = cutHoles(sample, random);
  return sample;
}

const boxesOf = ({ annotations }: Dataset, row: number): BoxAnnotation => ofKind(annotations[row]!, 'boxes');

/** The image and three others, each in a tile. */
async function loadMosaic(
  dataset: Dataset,
  index: number,
  changes: BoxAugment,
  { size, resize = 'stretch', checkSize = false }: Pick<SampleOptions, 'size' | 'resize' | 'checkSize'>,
  streamOf: StreamOf,
): Promise<BoxSample> {
  const order = streamOf('/tile order');
  const tiles = order.shuffle(drawTiles(size, order)); // the first image is not always in the same corner
  const samples = tiles.map((tile, i) => {
    const row = i === 0 ? index : order.integer(0, dataset.annotations.length);
    const plan = planTile(boxesOf(dataset, row), tile, { size, resize }, changes, streamOf(`/tile ${i}`));
    return loadBoxSample(boxesOf(dataset, row), {
      size: [tile.height, tile.width],
      resize: 'stretch',
      plan,
      checkSize,
    });
  });
  return joinTiles(await Promise.all(samples), tiles, size);
}
