import { Worker } from 'node:worker_threads';
import { FinetuneError } from '../../../errors.js';

/** Runs a thread until its work is done. Throws the thread's error, E_THREAD_ENDED if it ended without one, and the
 *  signal's reason. */
export async function runThread(
  file: string,
  workerData: unknown,
  onMessage: (message: unknown) => void,
  signal: AbortSignal,
): Promise<void> {
  signal.throwIfAborted();
  const thread = new Worker(file, { workerData });
  const stop = (): void => void thread.terminate();
  signal.addEventListener('abort', stop);
  thread.on('message', onMessage);
  let failure: unknown;
  thread.once('error', (error) => (failure = asThrown(error)));
  const code = await new Promise<number>((resolve) => thread.once('exit', resolve));
  signal.removeEventListener('abort', stop);
  signal.throwIfAborted();
  if (failure !== undefined) throw failure as Error;
  if (code !== 0) throw ended(`exit code ${code}`);
}

/** Restores the class of a FinetuneError, which gets lost between threads. */
function asThrown(error: Error & Partial<Pick<FinetuneError, 'problems'>>): Error {
  if (error.problems) return new FinetuneError(error.problems);
  return (error as NodeJS.ErrnoException).code === 'ERR_WORKER_OUT_OF_MEMORY' ? ended('out of memory') : error;
}

const ended = (why: string): FinetuneError =>
  new FinetuneError({
    code: 'E_THREAD_ENDED',
    message: `a thread ended before its work was done: ${why}`,
    fix: 'run the command again; if the error comes back, free some memory first',
  });
