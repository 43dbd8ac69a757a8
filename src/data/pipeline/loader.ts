import { FinetuneError } from '../../errors.js';
import { randomStream, type RandomStream } from '../../random.js';
import type { Size } from './buckets.js';
import type { Resize, SideLimits } from '../image/frame.js';
import type { Augment } from './augment/kinds.js';
import { mixBatch } from './augment/mix.js';
import { mixedRows } from '../oldImages.js';
import { planBatches, type PlannedBatch } from './planBatches.js';
import { repeatRows } from '../repeatFactor.js';
import { byKind, ofKind, type Dataset, type Sample } from '../sample.js';
import { loadTrainingSample } from './trainingSample.js';

export interface LoadOptions<Encoded = unknown> {
  /** Images per batch. */
  readonly batch: number;
  /** Pixels of the network's input. */
  readonly size: Size;
  /** Several shapes instead, of which each batch has one: the one that fits its images best. Goes with `resize: shorterSide`. */
  readonly buckets?: readonly Size[] | undefined;
  readonly limits?: SideLimits | undefined;
  readonly resize?: Resize;
  readonly cropFraction?: number;
  readonly interpolation?: 'bilinear' | 'bicubic' | undefined;
  readonly seed?: number;
  /** Counts from 0; another epoch has another order and other augmentations. */
  readonly epoch?: number;
  /** Epochs of the run, for what augmentation changes on the way. */
  readonly epochs?: number;
  readonly shuffle?: boolean;
  /** How often each row comes in an epoch, on average; needs `shuffle`. Without it: once. */
  readonly repeat?: Float64Array | undefined;
  readonly augment?: Augment | false;
  /** Batches in the making while one is in use: prefetch × batch pictures of height × width × 3 bytes wait at most. */
  readonly prefetch?: number;
  /** Batch to begin with, to go on in the middle of an epoch. */
  readonly startAt?: number;
  /** Batches after which the epoch ends, if it has so many. */
  readonly mostBatches?: number | undefined;
  /** Leave out the last batch if it is not full. */
  readonly dropLast?: boolean;
  /** `drop`: a broken image is left out and reported to `onDrop`, in every epoch anew; if every batch must be full (`dropLast`), the next image of the epoch takes its place. */
  readonly brokenImages?: 'error' | 'drop';
  readonly onDrop?: (reason: string, file: string) => void;
  /** Images whose pixels need not be read: row of the data set, and whether augmentation flips it. */
  readonly isKnown?: ((index: number, flipped: boolean) => boolean) | undefined;
  /** Called with each sample of a batch: a task's targets. */
  readonly encode?: (sample: Sample) => Encoded;
  readonly signal?: AbortSignal | undefined;
}

/** How images are read, apart from what is random about it. */
export type ImageOptions = Pick<
  LoadOptions,
  'resize' | 'buckets' | 'limits' | 'cropFraction' | 'interpolation' | 'prefetch' | 'brokenImages' | 'onDrop'
>;

export interface Batch<Encoded = unknown> {
  /** Of all its pictures. */
  readonly size: Size;
  readonly samples: readonly Sample[];
  /** Rows of `dataset.annotations`. */
  readonly indices: readonly number[];
  readonly encoded: readonly Encoded[];
}

/** Batches per epoch. */
export const countBatches = (images: number, batch: number, dropLast = false): number =>
  dropLast ? Math.floor(images / batch) : Math.ceil(images / batch);

/** A row of the data set at a place of an epoch's order. */
interface Turn {
  readonly index: number;
  /** How often the row came before in the epoch. */
  readonly again: number;
}

/** Load an epoch in batches. Order and augmentation depend on seed, epoch and place alone, not on time or threads, so that a
 *  resumed epoch (`startAt`) goes on as it would have. A training step blocks the main thread for half a second; therefore
 *  all reading of the next `prefetch` batches is handed to the thread pool before a batch is yielded, and little is left to do after.
 *  Throws what `loadSample` throws, unless broken images are dropped, and the signal's reason. */
export async function* loadBatches<Encoded = unknown>(
  dataset: Dataset,
  options: LoadOptions<Encoded>,
): AsyncGenerator<Batch<Encoded>, void, undefined> {
  const { prefetch = 2, startAt = 0, mostBatches = Infinity, signal } = options;
  const order = epochOrder(dataset, options);
  const images = order.map(({ index }) => dataset.annotations[index]!);
  const planned = planBatches(images, options).slice(0, mostBatches);
  const inFlight: Promise<Batch<Encoded>>[] = [];
  let next = startAt;
  const dispatch = () => {
    while (next < planned.length && inFlight.length < prefetch) {
      const work = loadBatch(dataset, order, planned, next++, options);
      work.catch(() => undefined); // a failure is thrown when its turn comes; until then it is not "unhandled"
      inFlight.push(work);
    }
  };
  try {
    dispatch();
    while (inFlight.length > 0) {
      signal?.throwIfAborted();
      const batchAtHand = inFlight.shift()!;
      dispatch(); // before waiting, let alone yielding: from then on the threads work by themselves
      yield await batchAtHand;
    }
  } finally {
    await Promise.allSettled(inFlight); // whoever stops early leaves no thread at work
  }
}

/** Rows of the data set in the order of an epoch. */
function epochOrder(dataset: Dataset, { batch, shuffle = false, repeat, seed = 0, epoch = 0 }: LoadOptions): Turn[] {
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
  const { augment = false, seed = 0, epoch = 0 } = options;
  const { places, size } = planned[number]!;
  const loaded = await Promise.all(places.map((place) => loadPlace(dataset, order, place, { ...options, size })));
  const whole = loaded.filter((item) => item !== undefined);
  const single = whole.map(({ sample }) => sample);
  const samples = augment ? mixed(single, augment, () => randomStream(seed, `mix/${epoch}/${number}`)) : single;
  return {
    size,
    samples,
    indices: whole.map(({ index }) => index),
    encoded: samples.map((sample) => options.encode?.(sample) as Encoded),
  };
}

/** The batch after the changes that take more than one image: those for images with boxes were made while each was loaded. */
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

/** The image at one place of the order, or, where broken ones are replaced, the first good one after it. */
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
    // A stand-in has augmentations of its own, so that the image does not come twice in the same way; so has a repeated one.
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
