import type { ChildProcess } from 'node:child_process';

/** What a worker is told that belongs on no command line. */
export interface Known {
  readonly secret: string;
  /** The command that resumes the run, for people. */
  readonly again: string;
}

/** The places where `finetune launch` starts workers, one in each. */
export interface Machines {
  /** The number of places. */
  readonly count: number;
  /** What messages call the machine of a place; undefined for this one. */
  nameOf(place: number): string | undefined;
  /** The words by which a command line of `finetune launch` names these machines. */
  readonly asked: readonly string[];
  /** The addresses by which workers in these places find each other. */
  addressesOf(places: readonly number[]): Promise<string[]>;
  /** Starts a worker with a command line of this program. Only the first one prints; what the others print on stderr is
   *  piped. */
  start(place: number, words: readonly string[], known: Known, isFirst: boolean): ChildProcess;
  /** Asks a worker to save and to end. */
  stop(child: ChildProcess): void;
  /** Ends a worker that does not end by itself. */
  kill(child: ChildProcess): void;
  /** Whether the run directory holds a run that was begun. */
  isBegun(directory: string): Promise<boolean>;
  /** Whether the run directory is lost together with the first place. */
  readonly firstKeepsRun: boolean;
}
