import type { Placement, Sample } from '../data/sample.js';
import type { Value } from '../graph/spec.js';
import type { Backbone } from '../models/backbone.js';
import type { NetworkDescription } from './description/description.js';
import type { Decoding } from './decoding.js';
import type { GraphBoxes, GraphOutputs } from './detection/decodeInGraph.js';
import type { OldAnswers } from './distillation.js';

/** The batch, the size and the mode that a graph is built for. */
export interface GraphOptions {
  readonly batch: number;
  /** Height and width of the input, in pixels. */
  readonly size: readonly [number, number];
  /** Whether the BatchNorm at this path uses the statistics of the batch. */
  readonly trainBatchNorm: (path: string) => boolean;
  /** Whether dropout and stochastic depth are on. Their random numbers come from the input `seed`. */
  readonly training?: boolean;
}

export interface Built {
  /** [N, height, width, 3], RGB 0…255. The graph itself normalises the pixels. */
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
  /** Number of workers that share a batch; default: 1. */
  readonly workers?: number;
  /** The outputs of a model that already knew the first of the classes, so that they are kept. */
  readonly old?: OldAnswers | undefined;
}

/** The targets of one image, by the name of the input that they are fed to. */
export type Targets = Readonly<Record<string, Float32Array | Int32Array>>;

/** What a program of a session returned, by the name of the output. */
export type Outputs = Readonly<Record<string, Float32Array>>;

/** Where the image of a prediction came from. */
export interface Origin {
  readonly imageId: string | number;
  readonly placement: Placement;
  readonly originalWidth: number;
  readonly originalHeight: number;
  /** Size of the image as the network saw it, in pixels. Needed where inputs have several sizes. */
  readonly picture?: { readonly width: number; readonly height: number };
}

/** The loss that a class predictor with initial weights should have, which training compares with the loss that it
 *  measures. */
export interface StartLoss {
  /** The part of the loss, or `loss` for all of it. */
  readonly part: string;
  readonly loss: number;
  /** The formula, for messages. */
  readonly why: string;
  /** Patterns of the names of the predictor's parameters. */
  readonly predictor: readonly string[];
}

/** The part of a task that graphs and data workers need; it knows no metric. `Prediction` is what the network says
 *  about one image. */
export interface Network<Prediction> {
  readonly name: string;
  readonly backbone: Backbone;
  /** Height and width of the input, in pixels. */
  readonly size: readonly [number, number];
  /** Height and width of the input in evaluation, where they differ: text is learnt from crops and read on whole
   *  images. */
  readonly evaluateSize?: readonly [number, number];
  /** All sizes of batches, `size` first, where there are several. */
  readonly sizes?: readonly (readonly [number, number])[];
  /** What the network is made from, for the files of its weights. */
  readonly description: NetworkDescription;
  /** Names of the class predictor's columns, given the names of the classes; [] for a network without such a
   *  predictor. */
  columns(classNames: readonly string[]): readonly string[];
  /** The network for one batch and size, and its loss. Throws E_MODEL_UNKNOWN, E_GRAPH_SHAPE. */
  build(options: GraphOptions): Built;
  /** Left out where theory does not predict the first loss. */
  readonly start?: StartLoss | undefined;
  /** The targets of one sample: plain arrays, no tensors. */
  encode(sample: Sample): Targets;
  /** The targets for a place of an evaluated batch of this size that has no image: they add nothing to the loss. */
  blank(size?: readonly [number, number]): Targets;
  /** How `decode` reads the outputs, for programs that do it elsewhere. */
  readonly decoding: Decoding;
  /** Adds the boxes and scores to the graph of these outputs, of a batch of one. Left out by tasks without boxes. */
  decodeInGraph?(outputs: GraphOutputs): GraphBoxes;
  /** What the outputs of a batch say about each of its images, in pixels of the original images. */
  decode(outputs: Outputs, origins: readonly Origin[]): Prediction[];
}
