import type { Dataset, Placement, Sample } from '../data/sample.js';
import type { Value } from '../graph/spec.js';
import type { Backbone } from '../models/backbone.js';
import type { OldAnswers } from './distillation.js';
import type { Evaluator, Score } from './evaluator.js';

/** What a model is built for. */
export interface GraphOptions {
  readonly batch: number;
  /** Height and width of the input, pixels. */
  readonly size: readonly [number, number];
  /** Whether the BatchNorm at this path uses the batch's statistics. */
  readonly trainBatchNorm: (path: string) => boolean;
  /** Whether what is random in training (dropout, stochastic depth) is on; it reads the input `seed`. */
  readonly training?: boolean;
}

export interface Built {
  /** [N, height, width, 3], RGB 0…255: the normalisation is part of the graph. */
  readonly image: Value;
  readonly outputs: Readonly<Record<string, Value>>;
  /** Adds the loss, and the inputs that its targets are fed to, to the graph of the outputs. */
  readonly loss: (options?: LossOptions) => Losses;
}

export interface Losses {
  /** Scalar: the sum of the parts. */
  readonly total: Value;
  readonly parts: Readonly<Record<string, Value>>;
}

export interface LossOptions {
  /** Whether the loss is for a training step: only then does it have label smoothing and weights of the classes. */
  readonly training?: boolean;
  /** The outputs of a model that already knew the first of the classes, so that they are kept. */
  readonly old?: OldAnswers | undefined;
}

/** One image's targets, by the name of the input they feed. */
export type Targets = Readonly<Record<string, Float32Array | Int32Array>>;

/** What a session's program returned, by the name of the output. */
export type Outputs = Readonly<Record<string, Float32Array>>;

/** Where a prediction's image came from. */
export interface Origin {
  readonly imageId: string | number;
  readonly placement: Placement;
  readonly originalWidth: number;
  readonly originalHeight: number;
  /** What the network saw; needed where inputs have several sizes. */
  readonly picture?: { readonly width: number; readonly height: number };
}

/** The loss that a class predictor with initial weights has, by theory. */
export interface StartLoss {
  /** The part of the loss, or `loss` for all of it. */
  readonly part: string;
  readonly loss: number;
  /** The formula. */
  readonly why: string;
  /** Patterns of the predictor's parameters. */
  readonly predictor: readonly string[];
}

/** The half of a task that graphs and data workers need: it knows no metric. `Prediction` is what is said of one image. */
export interface Network<Prediction> {
  readonly name: string;
  readonly backbone: Backbone;
  /** Height and width of the input, pixels. */
  readonly size: readonly [number, number];
  /** The same when it is evaluated, where that differs: text is learnt from crops and read on whole images. */
  readonly evaluateSize?: readonly [number, number];
  /** All sizes of batches, `size` first, where there are several. */
  readonly sizes?: readonly (readonly [number, number])[];
  /** What the class predictor's columns stand for, given the classes' names; [] where there is no such predictor. */
  columns(classNames: readonly string[]): readonly string[];
  /** The network for one batch and size, and its loss. Throws E_MODEL_UNKNOWN, E_GRAPH_SHAPE. */
  build(options: GraphOptions): Built;
  /** Absent where there is no theory of it. */
  readonly start?: StartLoss | undefined;
  /** The targets of one sample: plain arrays, no tensors. */
  encode(sample: Sample): Targets;
  /** The targets of a place in an evaluated batch, of this size, that holds no image: they add nothing to the loss. */
  blank(size?: readonly [number, number]): Targets;
  /** What the outputs of a batch say about each of its images, in the images' own pixels. */
  decode(outputs: Outputs, origins: readonly Origin[]): Prediction[];
}

/** The one interface between a model and everything else: a new kind of model is a new Task, and the trainer does not change. */
export interface Task<Prediction = unknown, S extends Score = Score> extends Network<Prediction> {
  /** Scores predictions against one part of the data. */
  evaluator(dataset: Dataset): Evaluator<S>;
}
