import type { Dataset, Sample } from '../data/sample.js';
import { loadBatches, type ImageOptions } from '../data/pipeline/loader.js';
import { viewsOf } from '../data/views.js';
import type { Session } from '../engine/engine.js';
import { FinetuneError } from '../errors.js';
import type { Model } from '../tasks/model.js';
import type { ProgressEvent } from '../progress.js';
import type { Evaluator, Score, Scored } from '../tasks/evaluator.js';
import { imageFeed, programName, targetFeeds } from '../tasks/feeds.js';

export interface EvaluateOptions extends ImageOptions {
  /** Number of images per call, for which the session's program `evaluate` was built. */
  readonly batch: number;
  /** Whether only the score is wanted, and no report. */
  readonly brief?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((event: ProgressEvent) => void) | undefined;
}

export interface Evaluation<S extends Score = Score> extends Scored<S> {
  /** Mean loss per image over the part. */
  readonly loss: number;
  /** Number of images that were scored: those that cannot be read are missing with brokenImages: drop. */
  readonly images: number;
  readonly imagesPerSecond: number;
}

/** The processes that evaluate a part together. */
export interface Readers {
  readonly rank: number;
  readonly count: number;
  /** Hands over to the process of rank 0, which gets what all have by rank; undefined on the others. */
  toFirst<T>(own: T): Promise<T[] | undefined>;
}

const ALONE: Readers = { rank: 0, count: 1, toFirst: (own) => Promise.resolve([own]) };

/** Runs every image of a part through the session's program `evaluate` and scores the outputs.
 *  Throws E_LOSS_NOT_FINITE, E_DATA_EMPTY if no image can be read, the loader's errors, and the signal's reason when aborted. */
export async function evaluate<Prediction, S extends Score>(
  model: Model<Prediction, S>,
  session: Session,
  dataset: Dataset,
  options: EvaluateOptions,
): Promise<Evaluation<S>> {
  return (await evaluateTogether(model, session, dataset, options, ALONE))!;
}

/** What was found in a batch. */
interface ReadBatch {
  readonly read: readonly unknown[];
  readonly loss: number;
  readonly images: readonly (string | number)[];
}

/** The same with several processes that hold the same model: each takes every so many-th batch, and the one of rank 0
 *  scores what all have found, in the order of the part. The others return undefined. */
export async function evaluateTogether<Prediction, S extends Score>(
  model: Model<Prediction, S>,
  session: Session,
  dataset: Dataset,
  options: EvaluateOptions,
  readers: Readers,
): Promise<Evaluation<S> | undefined> {
  const { batch, tiles, brief, signal, onProgress } = options;
  const { task } = model;
  const evaluator = task.evaluator(dataset, { tiles, brief });
  const views = viewsOf(dataset, tiles);
  const own: ReadBatch[] = [];
  let done = 0;
  const start = performance.now();
  for await (const { size, samples, encoded } of loadBatches(views, {
    encode: (sample) => task.encode(sample),
    ...options,
    size: task.evaluateSize ?? model.size,
    epoch: 0,
    seed: 0,
    augment: false,
    shuffle: false,
    dropLast: false,
    startAt: readers.rank,
    stride: readers.count,
  })) {
    signal?.throwIfAborted();
    const feeds = { image: imageFeed(samples, batch, size), ...targetFeeds(encoded, batch, task, size) };
    const { loss, ...outputs } = await session.run(programName('evaluate', size, task), feeds);
    checkLoss(loss![0]!, dataset, samples);
    own.push({
      read: evaluator.read(outputs, samples),
      loss: loss![0]!,
      images: samples.map(({ imageId }) => imageId),
    });
    done += samples.length * readers.count;
    const total = views.annotations.length;
    onProgress?.({ phase: 'evaluate', done: Math.min(done, total), total });
  }
  const all = await readers.toFirst(own);
  if (!all) return undefined;
  return scoreBatches(evaluator, inOrder(all), dataset, { start, onProgress });
}

/** The batches of all processes in the order of the part. */
const inOrder = (all: readonly (readonly ReadBatch[])[]): ReadBatch[] =>
  all[0]!.flatMap((_, i) => all.flatMap((own) => own.slice(i, i + 1)));

function scoreBatches<S extends Score>(
  evaluator: Evaluator<S>,
  batches: readonly ReadBatch[],
  dataset: Dataset,
  { start, onProgress }: { readonly start: number } & Pick<EvaluateOptions, 'onProgress'>,
): Evaluation<S> {
  const scored = new Set<string | number>();
  let [done, lossSum] = [0, 0];
  for (const { read, loss, images } of batches) {
    evaluator.add(read);
    lossSum += loss * images.length;
    done += images.length;
    for (const imageId of images) scored.add(imageId);
  }
  const imagesPerSecond = (scored.size / (performance.now() - start)) * 1000;
  const total = dataset.annotations.length;
  if (done === 0) throw nothingRead(dataset);
  if (scored.size < total)
    onProgress?.({
      message: `${total - scored.size} of the ${total} images of ${dataset.name} cannot be read, and are not scored`,
    });
  return { ...evaluator.finish(), loss: lossSum / done, images: scored.size, imagesPerSecond };
}

/** A loss that is not finite means that the outputs are of no use: their score would be one of noise. */
function checkLoss(loss: number, { name }: Dataset, samples: readonly Sample[]): void {
  if (Number.isFinite(loss)) return;
  throw new FinetuneError({
    code: 'E_LOSS_NOT_FINITE',
    message: `the loss on ${name} is ${loss}, on ${samples.map(({ file }) => file).join(', ')}`,
    fix: 'the weights have diverged: lower train.lr.value or set train.clipNorm, or take the weights of an earlier epoch',
  });
}

const nothingRead = ({ name }: Dataset): FinetuneError =>
  new FinetuneError({
    code: 'E_DATA_EMPTY',
    message: `none of the images of ${name} can be read, so there is nothing to score`,
    fix: 'look at them with finetune check; data.brokenImages: drop leaves them out',
  });
