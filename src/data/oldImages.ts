import { randomStream } from '../random.js';
import type { Dataset, OldImages } from './sample.js';

const ofBatch = (batch: number, { share }: OldImages): number =>
  Math.min(Math.max(Math.round(share * batch), 1), batch - 1);

/** Number of images in an epoch: every new image once, except those that do not fill a batch, and the old images beside
 *  them. */
export function mixedLength(batch: number, old: OldImages): number {
  return Math.floor(old.from / (batch - ofBatch(batch, old))) * batch;
}

/** The rows of an epoch, batch after batch. A batch has new images first, then old ones; both are shuffled anew for
 *  each epoch. If an epoch needs more old images than there are, it repeats them after all of them were used. */
export function mixedRows(
  { annotations }: Dataset,
  old: OldImages,
  { batch, seed, epoch }: { readonly batch: number; readonly seed: number; readonly epoch: number },
): number[] {
  const perBatch = ofBatch(batch, old);
  const batches = mixedLength(batch, old) / batch;
  const shuffled = (from: number, to: number, stream: string): number[] =>
    randomStream(seed, stream).shuffle(Array.from({ length: to - from }, (_, i) => from + i));
  const fresh = shuffled(0, old.from, `shuffle/${epoch}`);
  const known: number[] = [];
  for (let round = 0; known.length < batches * perBatch; round++)
    known.push(...shuffled(old.from, annotations.length, `old/${epoch}/${round}`));
  return Array.from({ length: batches }, (_, i) => [
    ...fresh.slice(i * (batch - perBatch), (i + 1) * (batch - perBatch)),
    ...known.slice(i * perBatch, (i + 1) * perBatch),
  ]).flat();
}
