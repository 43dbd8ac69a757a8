import type { Intervals } from '../evaluate/bootstrap.js';
import type { Explanation } from '../evaluate/explain.js';
import type { ScorePage } from '../report/scoreReport.js';

/** The options of `finetune score` as they were typed. */
export interface ScoreCommand {
  readonly gt?: string | undefined;
  readonly dt?: string | undefined;
  readonly iouType?: string | undefined;
  readonly split?: string | undefined;
  readonly year?: string | undefined;
  readonly protocol?: string | undefined;
  readonly gtLayout?: string | undefined;
  readonly dtLayout?: string | undefined;
  readonly maxDets?: string | undefined;
  /** Folder for a report. */
  readonly report?: string | undefined;
  /** Resamplings of the images, for a 95 % interval. */
  readonly bootstrap?: string | undefined;
  readonly json?: boolean;
}

/** What the program of one metric returns, to be printed alike for all. */
export interface Scored {
  readonly score: object;
  readonly table: string;
  /** The most important number of the score: it is explained when it is low. */
  readonly main: number;
  readonly notes: readonly string[];
  readonly warnings: readonly string[];
  readonly explain: () => Promise<Explanation>;
  readonly intervals: (samples: number) => Promise<Intervals>;
  readonly page: () => Promise<ScorePage>;
}
