import type { ProgressEvent } from '../progress.js';
import { listenForInterrupt } from './interrupt.js';
import { createProgress } from './progress.js';

export interface Hooks {
  readonly signal: AbortSignal;
  readonly onProgress: (event: ProgressEvent) => void;
}

/** Does the work of a command with a progress display. The first Ctrl-C aborts the signal, after saying what
 *  `stopping` says; the second kills the process. */
export async function watched<T>(work: (hooks: Hooks) => Promise<T>, stopping = 'stopping'): Promise<T> {
  const progress = createProgress();
  const say = (message: string) => progress.show({ message });
  const interrupt = listenForInterrupt(
    () => say(`${stopping} (press Ctrl-C again to kill the process)`),
    (exitCode) => {
      progress.close(); // the bar hides the cursor
      process.exit(exitCode);
    },
  );
  try {
    return await work({ signal: interrupt.signal, onProgress: progress.show });
  } finally {
    progress.close();
    interrupt.stop();
  }
}
