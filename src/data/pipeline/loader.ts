import { FinetuneError } from '../../errors.js';
import type { Tiling } from '../../geometry/tiles.js';
import { randomStream, type RandomStream } from '../../random.js';
import type { Size } from './buckets.js';
import type { Resize, SideLimits } from '../image/frame.js';
import type { Augment } from './augment/kinds.js';
import { mixBatch } from './augment/mix.js';
import { mixedRows } from '../oldImages.js';
import { planBatches, type PlannedBatch } from './planBatches.js';
import { WHOLE, type Share } from './share.js';
import { repeatRows } from '../repeatFactor.js';
import { byKind, ofKind, type Dataset, type Sample } from '../sample.js';
import { loadTrainingSample } from './trainingSample.js';

export interface LoadOptions<Encoded = unknown> {
  /** Images per batch. */
  readonly batch: number;
  /** Load one of several equal parts of each batch; `batch` is the number of images of the part. Needs `dropLast`. */
  readonly share?: Share | undefined;
  /** Pixels of the network's input. */
  readonly size: Size;
  /** Several sizes, of which each batch gets the one that fits its images best. Used with `resize: shorterSide`. */
  readonly buckets?: readonly Size[] | undefined;
  readonly limits?: SideLimits | undefined;
  readonly resize?: Resize;
  readonly cropFraction?: number;
  readonly interpolation?: 'bilinear' | 'bicubic' | undefined;
  readonly seed?: number;
  /** Counted from 0. Each epoch has its own order and augmentations. */
  readonly epoch?: number;
  /** Number of epochs of the run, over which the strength of the augmentation changes. */
  readonly epochs?: number;
  readonly shuffle?: boolean;
  /** How often each image comes in an epoch, on average; needs `shuffle`. Default: once. */
  readonly repeat?: Float64Array | undefined;
  readonly augment?: Augment | false;
  /** Number of batches prepared while one is in use. They take at most prefetch × batch × height × width × 3 bytes. */
  readonly prefetch?: number;
  /** Number of the first batch, to resume in the middle of an epoch. */
  readonly startAt?: number;
  /** Load only every so many-th batch, from `startAt` on. Default: every one. */
  readonly stride?: number | undefined;
  /** Maximum number of batches in an epoch. */
  readonly mostBatches?: number | undefined;
  /** Leave out the last batch if it is not full. */
  readonly dropLast?: boolean;
  /** `drop` leaves out broken images and reports each to `onDrop`, in every epoch anew. With `dropLast`, where every
   *  batch must be full, the next image of the epoch takes the place of a broken one. */
  readonly brokenImages?: 'error' | 'drop';
  readonly onDrop?: (reason: string, file: string) => void;
  /** Tells whether the pixels of an image need not be read, given its row in the data set and whether augmentation
   *  flips it. */
  readonly isKnown?: ((index: number, flipped: boolean) => boolean) | undefined;
  /** Makes the task's targets of each sample. */
  readonly encode?: (sample: Sample) => Encoded;
  readonly signal?: AbortSignal | undefined;
}

/** How images are read, apart from the order and the augmentation. */
export interface ImageOptions extends Pick<
  LoadOptions,
  'resize' | 'buckets' | 'limits' | 'cropFraction' | 'interpolation' | 'prefetch' | 'brokenImages' | 'onDrop'
> {
  /** How large images are cut into tiles: viewsOf makes the part to load of it. */
  readonly tiles?: Tiling | undefined;
}

export interface Batch<Encoded = unknown> {
  /** Height and width of all its pictures. */
  readonly size: Size;
  readonly samples: readonly Sample[];
  /** Rows of `dataset.annotations`. */
  readonly indices: readonly number[];
  readonly encoded: readonly Encoded[];
}

/** Number of batches in an epoch. */
export const countBatches = (images: number, batch: number, dropLast = false): number =>
  dropLast ? Math.floor(images / batch) : Math.ceil(images / batch);

/** An image at a place of an epoch's order. */
interface Turn {
  /** Row of `dataset.annotations`. */
  readonly index: number;
  /** How often the image came before in the epoch. */
  readonly again: number;
}

/** Load an epoch in batches. Order and augmentation depend on seed, epoch and place alone, not on time or threads, so
 *  that a resumed epoch (`startAt`) continues exactly as if it had not been stopped. A training step can block the main
 *  thread for half a second; therefore all reading of the next `prefetch` batches is handed to the thread pool before a
 *  batch is yielded.
 *  Throws what `loadSample` throws, unless broken images are dropped, and the signal's reason. */
export async function* loadBatches<Encoded = unknown>(
  dataset: Dataset,
  options: LoadOptions<Encoded>,
): AsyncGenerator<Batch<Encoded>, void, undefined> {
  const { prefetch = 2, startAt = 0, stride = 1, mostBatches = Infinity, signal, share = WHOLE } = options;
  const order = epochOrder(dataset, options);
  const images = order.map(({ index }) => dataset.annotations[index]!);
  const { batch } = options;
  const whole = planBatches(images, { ...options, batch: batch * share.count }).slice(0, mostBatches);
  const begin = share.rank * batch;
  const planned = whole.map(({ places, size }) => ({ size, places: places.slice(begin, begin + batch) }));
  const inFlight: Promise<Batch<Encoded>>[] = [];
  let next = startAt;
  const dispatch = () => {
    while (next < planned.length && inFlight.length < prefetch) {
      const work = loadBatch(dataset, order, planned, next, options);
      next += stride;
      work.catch(() => undefined); // it is thrown when this batch is awaited; until then it must not count as unhandled
      inFlight.push(work);
    }
  };
  try {
    dispatch();
    while (inFlight.length > 0) {
      signal?.throwIfAborted();
      const batchAtHand = inFlight.shift()!;
      dispatch(); // before waiting: from here on the threads work by themselves
      yield await batchAtHand;
    }
  } finally {
    await Promise.allSettled(inFlight); // if the caller stops early, no thread is left at work
  }
}

/** The images in the order of an epoch. */
function epochOrder(
  dataset: Dataset,
  { batch: own, share = WHOLE, shuffle = false, repeat, seed = 0, epoch = 0 }: LoadOptions,
): Turn[] {
  const batch = own * share.count;
  if (repeat) return countTurns(repeatRows(repeat, seed, epoch));
  if (shuffle && dataset.old) return countTurns(mixedRows(dataset, dataset.old, { batch, seed, epoch }));
  const order = dataset.annotations.map((_, index) => ({ index, again: 0 }));
  return shuffle ? randomStream(seed, `shuffle/${epoch}`).shuffle(order) : order;
}

function countTurns(rows: readonly number[]): Turn[] {
  const seen = new Map<number, number>();
  return rows.map((index) => {
    const again = seen.get(index) ?? 0;
    seen.set(index, again + 1);
    return { index, again };
  });
}

interface Loaded {
  readonly sample: Sample;
  readonly index: number;
}

async function loadBatch<Encoded>(
  dataset: Dataset,
  order: readonly Turn[],
  planned: readonly PlannedBatch[],
  number: number,
  options: LoadOptions<Encoded>,
): Promise<Batch<Encoded>> {
  const { augment = false, seed = 0, epoch = 0, share = WHOLE } = options;
  const { places, size } = planned[number]!;
  const loaded = await Promise.all(places.map((place) => loadPlace(dataset, order, place, { ...options, size })));
  const whole = loaded.filter((item) => item !== undefined);
  const part = share.rank === 0 ? '' : `/part ${share.rank}`; // each part is mixed in a way of its own
  const single = whole.map(({ sample }) => sample);
  const samples = augment ? mixed(single, augment, () => randomStream(seed, `mix/${epoch}/${number}${part}`)) : single;
  return {
    size,
    samples,
    indices: whole.map(({ index }) => index),
    encoded: samples.map((sample) => options.encode?.(sample) as Encoded),
  };
}

/** Applies the augmentations that mix the images of a batch. Those for images with boxes were applied while each image
 *  was loaded. */
const mixed = (samples: readonly Sample[], augment: Augment, random: () => RandomStream): readonly Sample[] =>
  byKind<Augment, readonly Sample[]>(augment, {
    boxes: () => samples,
    text: () => samples,
    wholeImage: (options) =>
      mixBatch(
        samples.map((sample) => ofKind(sample, 'wholeImage')),
        options,
        random(),
      ),
  });

/** Loads the image at one place of the order, or, if broken images are replaced, the first sound one after it. */
async function loadPlace(
  dataset: Dataset,
  order: readonly Turn[],
  place: number,
  options: LoadOptions,
): Promise<Loaded | undefined> {
  const { brokenImages = 'error' } = options;
  const mostTries = brokenImages === 'drop' && options.dropLast ? order.length : 1;
  for (let tries = 0; tries < mostTries; tries++) {
    const { index, again } = order[(place + tries) % order.length]!;
    // A replacement and a repeated image have their own augmentation, so that no image comes twice in the same way.
    const draw = (again > 0 ? `/again ${again}` : '') + (tries > 0 ? `/for ${place}` : '');
    const isKnown = options.isKnown && ((flipped: boolean) => options.isKnown!(index, flipped));
    try {
      return { sample: await loadTrainingSample(dataset, index, { ...options, draw, isKnown }), index };
    } catch (error) {
      const [problem] = error instanceof FinetuneError ? error.problems : [];
      if (brokenImages === 'error' || !problem?.code.startsWith('E_IMAGE_')) throw error;
      options.onDrop?.(dropReasons[problem.code] ?? 'image cannot be decoded', problem.where!.file!);
    }
  }
  if (mostTries === 1) return undefined;
  throw new FinetuneError({ code: 'E_DATA_EMPTY', message: `${dataset.name} has no image that can be decoded` });
}

const dropReasons: Readonly<Record<string, string>> = {
  E_IMAGE_MISSING: 'image missing',
  E_IMAGE_SIZE: 'image has another size than its annotation says',
};
