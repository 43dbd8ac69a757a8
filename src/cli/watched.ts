import { exitNow } from '../engine/libtensorflow/exitNow.js';
import type { ProgressEvent } from '../progress.js';
import { listenForInterrupt } from './interrupt.js';
import { leave } from './leave.js';
import { createProgress } from './progress.js';

export interface Hooks {
  readonly signal: AbortSignal;
  readonly onProgress: (event: ProgressEvent) => void;
}

/** Does the work of a command with a progress display. The first Ctrl-C (or SIGTERM, or SIGHUP) aborts the signal, after
 *  saying what `stopping` says; the second kills the process. Throws a `Stopped` if the work ended because of the
 *  signal. */
export async function watched<T>(work: (hooks: Hooks) => Promise<T>, stopping = 'stopping'): Promise<T> {
  const progress = createProgress();
  const say = (message: string) => progress.show({ message });
  const interrupt = listenForInterrupt(
    () => say(`${stopping} (press Ctrl-C again to kill the process)`),
    (exitCode) => {
      progress.close(); // the bar hides the cursor
      exitNow(exitCode);
      leave(exitCode);
    },
  );
  const { signal } = interrupt;
  try {
    return await work({ signal, onProgress: progress.show });
  } catch (error) {
    if ((error as Partial<Error> | null)?.name === 'AbortError') signal.throwIfAborted(); // Node's functions throw others
    throw error;
  } finally {
    progress.close();
    interrupt.stop();
  }
}
