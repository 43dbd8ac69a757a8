import type { Findings } from '../findings.js';
import type { Dataset, Kind, PartName } from '../sample.js';

export interface ReadOptions {
  /** Dotted path of the data's options in a recipe, for errors that are about one of them (default: data). */
  readonly option?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Parts that are not opened, because they are divided from the training part (default: none). */
  readonly skip?: readonly PartName[] | undefined;
  /** The training part need not have anything to learn, because it is only rewritten (default: false). */
  readonly unlearned?: boolean | undefined;
  /** Gives the findings of a part, which collect its problems. */
  readonly findingsOf: (part: PartName) => Findings;
}

export type Parts = Partial<Record<PartName, Dataset>>;

/** A layout of data sets on disk; `Data` are its options in a recipe. */
export interface Format<Data> {
  /** What its images are annotated with. */
  readonly kind: Kind;
  /** The images are drawn on first use, so `root` need not exist. */
  readonly isDrawn?: boolean;
  /** Opens the parts as far as they can be read: problems go to the findings of their part, and nothing is thrown for
   *  them. */
  readonly open: (data: Data, options: ReadOptions) => Promise<Parts>;
}
