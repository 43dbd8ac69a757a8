/** The part of each batch that one of several workers loads: the `rank`-th of `count` equal parts, counted from 0. */
export interface Share {
  readonly rank: number;
  readonly count: number;
}

/** The share of a worker that trains alone. */
export const WHOLE: Share = { rank: 0, count: 1 };
