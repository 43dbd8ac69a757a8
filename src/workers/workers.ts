/** The processes that train one model together. Each has a rank, counted from 0, and a share of every batch. All of them
 *  call the same functions in the same order; a call ends when the others' values have come. */
export interface Workers {
  readonly rank: number;
  readonly count: number;
  /** Aborts when another worker is gone or has failed, with the error E_WORKERS_LOST as its reason. */
  readonly signal: AbortSignal;
  /** Computes the mean of the values of all parts of a batch; a worker has one or several of them. It is the same on all
   *  workers, to the bit, in every repetition, and however the parts are shared out. The arrays may be used again for the
   *  next mean of so many values; until that one, `mean` must not be changed by anybody else. */
  mean(parts: readonly Float32Array[], mean: Float32Array): Promise<void>;
  /** The values of all workers by their rank. They travel as JSON. */
  gather<T>(own: T): Promise<T[]>;
  /** Hands over to the worker of rank 0, which gets the values of all by their rank; undefined on the others. They may have
   *  typed arrays, and travel as Node's `v8.serialize` writes them. */
  toFirst<T>(own: T): Promise<T[] | undefined>;
  /** What the worker of rank 0 computes; the others wait for it. It travels as JSON, with numbers that are not finite. */
  fromFirst<T>(compute: () => Promise<T>): Promise<T>;
  /** Bytes of the worker of rank 0; the others' own are ignored. */
  bytesFromFirst(bytes: Uint8Array): Promise<Uint8Array>;
  /** Milliseconds that `mean` has waited for others so far. */
  waited(): number;
  /** Ends the connections. The others take it as a failure if there is a reason. */
  leave(reason?: string): Promise<void>;
}

/** Computes the mean of equal arrays, added in their order. */
export function average(all: readonly Float32Array[], mean: Float32Array): void {
  mean.set(all[0]!);
  for (const values of all.slice(1)) for (let i = 0; i < mean.length; i++) mean[i]! += values[i]!;
  const share = 1 / all.length;
  for (let i = 0; i < mean.length; i++) mean[i]! *= share;
}

/** A process that trains alone. */
export const ALONE: Workers = {
  rank: 0,
  count: 1,
  signal: new AbortController().signal,
  mean: (parts, mean) => {
    average(parts, mean);
    return Promise.resolve();
  },
  gather: (own) => Promise.resolve([own]),
  toFirst: (own) => Promise.resolve([own]),
  fromFirst: (compute) => compute(),
  bytesFromFirst: (bytes) => Promise.resolve(bytes),
  waited: () => 0,
  leave: () => Promise.resolve(),
};
