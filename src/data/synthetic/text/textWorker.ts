import { parentPort, workerData } from 'node:worker_threads';
import pLimit from 'p-limit';
import sharp from 'sharp';
import { drawTextImage, type TextPart } from './drawImage.js';

/** The code of a thread: draws the images `indices` of a part and posts `[index, record]` for each. */
export interface TextJob {
  readonly part: TextPart;
  readonly indices: readonly number[];
}

const { part, indices } = workerData as TextJob;
sharp.concurrency(1);
const limit = pLimit(2); // one is compressed while the next is drawn
await Promise.all(
  indices.map((index) => limit(async () => parentPort!.postMessage([index, await drawTextImage(part, index)]))),
);
