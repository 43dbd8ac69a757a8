import type { Dataset, Sample } from '../data/sample.js';
import { loadBatches, type ImageOptions } from '../data/pipeline/loader.js';
import { viewsOf } from '../data/views.js';
import type { Session } from '../engine/engine.js';
import { FinetuneError } from '../errors.js';
import type { Model } from '../tasks/model.js';
import type { ProgressEvent } from '../progress.js';
import type { Score, Scored } from '../tasks/evaluator.js';
import { imageFeed, programName, targetFeeds } from '../tasks/feeds.js';

export interface EvaluateOptions extends ImageOptions {
  /** Number of images per call, for which the session's program `evaluate` was built. */
  readonly batch: number;
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

/** Runs every image of a part through the session's program `evaluate` and scores the outputs.
 *  Throws E_LOSS_NOT_FINITE, E_DATA_EMPTY if no image can be read, the loader's errors, and the signal's reason when aborted. */
export async function evaluate<Prediction, S extends Score>(
  model: Model<Prediction, S>,
  session: Session,
  dataset: Dataset,
  options: EvaluateOptions,
): Promise<Evaluation<S>> {
  const { batch, signal, onProgress } = options;
  const { task } = model;
  const evaluator = task.evaluator(dataset, { tiles: options.tiles });
  const views = viewsOf(dataset, options.tiles);
  let lossSum = 0;
  let done = 0;
  const scored = new Set<string | number>();
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
  })) {
    signal?.throwIfAborted();
    const feeds = { image: imageFeed(samples, batch, size), ...targetFeeds(encoded, batch, task, size) };
    const { loss, ...outputs } = await session.run(programName('evaluate', size, task), feeds);
    evaluator.add(outputs, samples);
    checkLoss(loss![0]!, dataset, samples);
    lossSum += loss![0]! * samples.length;
    done += samples.length;
    for (const { imageId } of samples) scored.add(imageId);
    onProgress?.({ phase: 'evaluate', done, total: views.annotations.length });
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
