import type { Dataset, Sample } from '../data/sample.js';
import { loadBatches, type ImageOptions } from '../data/loader.js';
import type { Session } from '../engine/engine.js';
import type { Model } from '../model.js';
import type { ProgressEvent } from '../progress.js';
import type { Detection } from '../tasks/detection.js';
import { imageFeed, targetFeeds } from '../train/feeds.js';
import { scoreCoco, toCocoDetections, type CocoDetection } from './coco.js';
import type { CocoScore } from './cocoScore.js';

export interface EvaluateOptions extends ImageOptions {
  /** Images per call: what the session's program `evaluate` was built for. */
  readonly batch: number;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((event: ProgressEvent) => void) | undefined;
}

export interface Evaluation {
  readonly metric: CocoScore;
  /** Mean loss per image over the part. */
  readonly loss: number;
  readonly detections: readonly CocoDetection[];
  readonly imagesPerSecond: number;
}

/** Runs every image of a part through the session's program `evaluate` and scores what comes out.
 *  Throws the loader's errors, and the signal's reason when aborted. */
export async function evaluate(
  model: Model,
  session: Session,
  dataset: Dataset,
  options: EvaluateOptions,
): Promise<Evaluation> {
  const { batch, signal, onProgress } = options;
  const { task, size } = model;
  const total = dataset.annotations.length;
  const detections: Detection[] = [];
  let lossSum = 0;
  let done = 0;
  const start = performance.now();
  for await (const { samples, encoded } of loadBatches(dataset, {
    encode: (sample) => task.encode(sample),
    ...options,
    size,
    epoch: 0,
    seed: 0,
    augment: false,
    shuffle: false,
    dropLast: false,
  })) {
    signal?.throwIfAborted();
    const feeds = { image: imageFeed(samples, batch, size), ...targetFeeds(encoded, batch, task) };
    const { loss, ...outputs } = await session.run('evaluate', feeds);
    detections.push(...task.decode(outputs, samples.map(origin)).flat());
    lossSum += loss![0]! * samples.length;
    done += samples.length;
    onProgress?.({ phase: 'evaluate', done, total });
  }
  const scored = toCocoDetections(detections, dataset);
  return {
    metric: scoreCoco(dataset, scored),
    loss: lossSum / Math.max(done, 1),
    detections: scored,
    imagesPerSecond: (done / (performance.now() - start)) * 1000,
  };
}

const origin = ({ imageId, placement, originalWidth, originalHeight }: Sample) => ({
  imageId,
  placement,
  originalWidth,
  originalHeight,
});
