/** A part of each batch: the `rank`-th of `count` equal parts, counted from 0. */
export interface Share {
  readonly rank: number;
  readonly count: number;
}

/** The parts of each batch that one of several workers trains on: `own` of them, from `rank` on. */
export interface OwnShare extends Share {
  readonly own: number;
}

/** The share of a worker that trains alone. */
export const WHOLE: OwnShare = { rank: 0, count: 1, own: 1 };

/** Shares `count` parts out among workers, as equally as that goes, in their order. */
export function shareOut(count: number, workers: { readonly rank: number; readonly count: number }): OwnShare {
  const begin = (worker: number) => Math.floor((worker * count) / workers.count);
  const rank = begin(workers.rank);
  return { rank, count, own: begin(workers.rank + 1) - rank };
}
