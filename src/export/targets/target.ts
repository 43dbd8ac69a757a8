import type { Dataset } from '../../data/sample.js';
import type { Feeds, Results } from '../../engine/engine.js';
import type { Problem } from '../../errors.js';
import type { TaskScore } from '../../evaluate/createTask.js';
import type { ModelCard } from '../../modelFolder/card.js';
import type { Evaluator } from '../../tasks/evaluator.js';
import type { ScoredImages } from '../../tasks/task.js';
import type { Format, Net } from '../format.js';
import type { FormatName, TargetName } from '../names.js';
import type { Checkpoint } from '../source.js';

/** An application that reads models in a layout of its own. Each has a folder in targets/, and a line in targets.ts. */
export interface Target {
  readonly name: TargetName;
  /** The formats that the application reads. The first one is written unless another is asked for. */
  readonly formats: readonly [FormatName, ...FormatName[]];
  /** Why the application cannot use the model: the message, and how to go on. Undefined if it can. */
  whyNot(checkpoint: Checkpoint, format: FormatName): Obstacle | undefined;
  /** The model as the application reads it. */
  adapt(checkpoint: Checkpoint, net: Net, format: Format): Adapted;
}

export type Obstacle = Pick<Problem, 'message' | 'fix'>;

/** A model in the layout that a program reads. */
export interface Adapted {
  /** What is written. Its outputs on the engine that trains are compared with those of the file. */
  readonly net: Net;
  /** The format with what the application needs beyond it, such as further files. Default: the format as it is. */
  readonly format?: Format;
  /** What the net is fed with for an image: pixels [1, height, width, 3], RGB 0…255. */
  readonly feed: (pixels: Float32Array) => Feeds;
  /** What the files compute of the outputs of the net beyond the graph, with an operator that it does not have. The files return
   *  this in place of the outputs. */
  readonly finish?: Finish;
  /** The outputs that are compared value by value; default: all. Where the model chooses boxes, nearly equal scores may
   *  change their places, and the score of the whole tells whether the boxes are right. */
  readonly compared?: readonly string[];
  /** Scores what the application finds: it decodes the outputs by the rules that the application has published
   *  (targets/evaluators.ts). Left out where the outputs are those of the checkpoint, and decoded like them. */
  readonly evaluator?: (dataset: Dataset, how?: ScoredImages) => Evaluator<TaskScore>;
  /** Scores the checkpoint where the application's decoder leaves out what the checkpoint's does not. Default: as in its run. */
  readonly reference?: (dataset: Dataset, how?: ScoredImages) => Evaluator<TaskScore>;
  /** The loss of the score that the application's own decoding may cost; default: as little as for every format. */
  readonly tolerance?: number;
  /** How the card describes the model. */
  readonly card: AdaptedCard;
}

export interface Finish {
  /** Shapes of what the files return. */
  readonly outputs: Readonly<Record<string, readonly number[]>>;
  /** The same in JavaScript, to compare with. */
  run(outputs: Results): Results;
}

export interface AdaptedCard {
  /** Entries of the input that differ from those of the network. */
  readonly input?: Partial<ModelCard['input']>;
  /** Meaning of each output. */
  readonly outputs: Readonly<Record<string, string>>;
  /** Entries of `decode` that take the place of the network's rules; thresholds and limits stay. Left out where the outputs are
   *  those of the network. */
  readonly decode?: Readonly<Record<string, unknown>>;
  /** What the person who exports should know before the application runs the model. */
  readonly note?: string;
}
