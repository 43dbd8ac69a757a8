import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pLimit from 'p-limit';
import { invariant } from '../../../errors.js';
import { makeFolder, writeNew } from '../../../files/folders.js';
import { drawTextImage, type TextImageRecord, type TextPart } from './drawImage.js';
import { runThread } from './runThread.js';
import type { TextJob } from './textWorker.js';

export interface GenerateTextOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called after each image. */
  readonly onImage?: ((done: number, total: number) => void) | undefined;
}

/** Number of images below which threads do not pay off: so many are drawn in the time a thread takes to read its fonts. */
const WORTH_THREADS = 48;
const THREAD = fileURLToPath(new URL('./textWorker.js', import.meta.url));

/** Draw `count` images of a part: images/{part}/*.jpg and words_{part}.json. Many images are drawn in threads. A longer
 *  part begins with the images of a shorter one. Throws E_PHOTOS, E_THREAD_ENDED, and the signal's reason. */
export async function generateText(
  part: TextPart,
  count: number,
  { signal, onImage }: GenerateTextOptions = {},
): Promise<readonly TextImageRecord[]> {
  await makeFolder(part.root);
  const records: TextImageRecord[] = [];
  let done = 0;
  const keep = (index: number, record: TextImageRecord): void => {
    records[index] = record;
    done++;
    onImage?.(done, count);
  };
  const indices = Array.from({ length: count }, (_, index) => index);
  // Tests run the TypeScript sources without compiling them, so there is no file that a thread could load.
  if (count < WORTH_THREADS || !existsSync(THREAD)) {
    const limit = pLimit(2);
    await Promise.all(
      indices.map((index) =>
        limit(async () => {
          signal?.throwIfAborted();
          keep(index, await drawTextImage(part, index));
        }),
      ),
    );
  } else {
    const threads = Math.min(availableParallelism(), 8);
    const shares = Array.from({ length: threads }, (_, k) => indices.filter((index) => index % threads === k));
    const failed = new AbortController(); // a thread that fails ends the others
    const either = AbortSignal.any([failed.signal, ...(signal ? [signal] : [])]);
    const take = (message: unknown): void => keep(...(message as [number, TextImageRecord]));
    const runs = shares.map((share) => runThread(THREAD, { part, indices: share } satisfies TextJob, take, either));
    await Promise.all(runs).catch(async (error: unknown) => {
      failed.abort(error);
      await Promise.allSettled(runs);
      throw error;
    });
  }
  invariant(done === count, `${count - done} drawn images are missing`);
  await writeNew(join(part.root, `words_${part.part}.json`), JSON.stringify({ images: records }));
  return records;
}
