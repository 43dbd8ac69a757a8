import type { Dataset } from '../data/sample.js';
import type { Tiling } from '../geometry/tiles.js';
import type { Evaluator, Score } from './evaluator.js';
import type { Network } from './network.js';

/** How the images of a part reach an evaluator. */
export interface ScoredImages {
  /** Samples are tiles of images, whose predictions are merged. */
  readonly tiles?: Tiling | undefined;
  /** Whether only the score is wanted: what a report would show besides is not kept. */
  readonly brief?: boolean | undefined;
}

/** The only interface between a model and everything else: a new kind of model is a new Task, and the trainer stays as
 *  it is. */
export interface Task<Prediction = unknown, S extends Score = Score> extends Network<Prediction> {
  /** Scores predictions against one part of the data. */
  evaluator(dataset: Dataset, how?: ScoredImages): Evaluator<S>;
}
