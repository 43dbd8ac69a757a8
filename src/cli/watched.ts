import { listenForInterrupt } from './interrupt.js';
import { createProgress, type ProgressDisplay } from './progress.js';

/** Shows progress and lets Ctrl-C stop it. */
export async function watched<T>(
  work: (hooks: { signal: AbortSignal; onProgress: ProgressDisplay['show'] }) => Promise<T>,
): Promise<T> {
  const progress = createProgress();
  const interrupt = listenForInterrupt((message) => progress.show({ message }), (exitCode) => process.exit(exitCode)); // prettier-ignore
  try {
    return await work({ signal: interrupt.signal, onProgress: progress.show });
  } finally {
    progress.close();
    interrupt.stop();
  }
}
