import type { Findings } from '../findings.js';
import type { Dataset, Kind, PartName } from '../sample.js';

export interface ReadOptions {
  readonly signal?: AbortSignal | undefined;
  /** Gives the findings of a part, which collect its problems. */
  readonly findingsOf: (part: PartName) => Findings;
}

export type Parts = Partial<Record<PartName, Dataset>>;

/** A layout of data sets on disk; `Data` are its options in a recipe. */
export interface Format<Data> {
  /** What its images are annotated with. */
  readonly kind: Kind;
  /** Opens the parts as far as they can be read: problems go to the findings of their part, and nothing is thrown for
   *  them. */
  readonly open: (data: Data, options: ReadOptions) => Promise<Parts>;
}
