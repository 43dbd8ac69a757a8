import { fileURLToPath } from 'node:url';

/** Where the runs of a sweep are computed. */
export interface Cluster {
  /** Runs this program with the words of a command line. Returns the end of what it printed if it failed. */
  run(words: readonly string[]): Promise<string | undefined>;
  /** Asks all runs to save and to end. */
  stop(): void;
  /** Ends all runs at once. */
  kill(): void;
}

/** The command line of this program, on this machine and on all that see the same files; from src/ it is the compiled one. */
export const PROGRAM: readonly string[] = [
  process.execPath,
  fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url)),
];

/** Characters of a failed run's output that are shown. */
export const TAIL = 2000;
