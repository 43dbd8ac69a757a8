import { FinetuneError } from '../errors.js';

export interface BatcherOptions<Image, Result> {
  /** Each runs images that come together, several calls at a time. */
  readonly lanes: readonly ((images: readonly Image[]) => Promise<readonly Result[]>)[];
  /** Images that are run together once so many wait; fewer are run one by one. */
  readonly batch: number;
  /** Milliseconds that an image may wait for others. */
  readonly batchDelay: number;
  /** Milliseconds after which an image is given up. */
  readonly timeLimit: number;
  /** Gets the number of images of each call. */
  readonly onBatch?: ((images: number) => void) | undefined;
}

/** Gives images to the lanes: one at a time, or a batch when enough of them wait. */
export interface Batcher<Image, Result> {
  /** Throws E_SERVE_TIME if there is no result in time, and the signal's reason when it was aborted meanwhile. */
  run(image: Image, signal?: AbortSignal): Promise<Result>;
  /** Images that wait. */
  waiting(): number;
}

interface Entry<Image, Result> {
  readonly image: Image;
  readonly since: number;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: Error) => void;
  isOver: boolean;
}

/** Calls that a lane has at once: one is computed while the images of the next are read. */
const CALLS_PER_LANE = 2;

export function createBatcher<Image, Result>({
  lanes,
  batch,
  batchDelay,
  timeLimit,
  onBatch,
}: BatcherOptions<Image, Result>): Batcher<Image, Result> {
  let queue: Entry<Image, Result>[] = [];
  const calls = lanes.map(() => 0);
  let timer: NodeJS.Timeout | undefined;

  const work = async (lane: number, entries: readonly Entry<Image, Result>[]): Promise<void> => {
    calls[lane]!++;
    onBatch?.(entries.length);
    try {
      const results = await lanes[lane]!(entries.map(({ image }) => image));
      for (const [i, { resolve }] of entries.entries()) resolve(results[i]!);
    } catch (error) {
      for (const { reject } of entries) reject(error as Error);
    } finally {
      calls[lane]!--;
      pump();
    }
  };
  /** Milliseconds for which the first image should still wait for others. */
  const stillToWait = (): number =>
    batch === 1 || queue.length >= batch ? 0 : queue[0]!.since + batchDelay - performance.now();
  function pump(): void {
    clearTimeout(timer);
    queue = queue.filter(({ isOver }) => !isOver);
    for (;;) {
      const least = calls.indexOf(Math.min(...calls));
      if (queue.length === 0 || calls[least]! >= CALLS_PER_LANE) return;
      const wait = stillToWait();
      if (wait > 0) {
        timer = setTimeout(pump, wait);
        return;
      }
      void work(least, queue.splice(0, queue.length >= batch ? batch : 1));
    }
  }
  return {
    run: (image, signal) =>
      new Promise<Result>((resolve, reject) => {
        const end = (): void => {
          entry.isOver = true;
          clearTimeout(late);
          signal?.removeEventListener('abort', abort);
        };
        const entry: Entry<Image, Result> = {
          ...{ image, since: performance.now(), isOver: false },
          resolve: (result) => {
            end();
            resolve(result);
          },
          reject: (error) => {
            end();
            reject(error);
          },
        };
        const abort = (): void => {
          entry.reject(signal!.reason as Error);
        };
        const late = setTimeout(() => entry.reject(tooLate(timeLimit)), timeLimit);
        if (signal?.aborted) {
          abort();
          return;
        }
        signal?.addEventListener('abort', abort);
        queue.push(entry);
        pump();
      }),
    waiting: () => queue.filter(({ isOver }) => !isOver).length,
  };
}

const tooLate = (timeLimit: number): FinetuneError =>
  new FinetuneError({
    code: 'E_SERVE_TIME',
    message: `there was no result within ${timeLimit} ms`,
    fix: 'send fewer requests at once, or start the server with a longer --time-limit',
  });
