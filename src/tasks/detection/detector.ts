import type { ClassIndex } from '../../data/sample.js';
import type { Xyxy } from '../../geometry/box.js';
import type { Value } from '../../graph/spec.js';
import type { BackboneChoice } from '../../models/table.js';
import type { Focal } from '../losses.js';
import type { Decoding } from '../decoding.js';
import type { LossOptions, Losses, Network } from '../network.js';
import type { DetectorAnchors } from './anchors.js';
import type { GraphBoxes, GraphOutputs } from './decodeInGraph.js';
import type { SelectOptions } from './options.js';

/** The options that every detector is made from; each head adds its own. */
export interface DetectorOptions extends SelectOptions {
  readonly backbone: BackboneChoice;
  /** Height and width of the input, in pixels. */
  readonly size: readonly [number, number];
  readonly focal: Focal;
  /** Background anchors per matched anchor in a softmax loss. */
  readonly hardNegatives: number;
  /** Weights of the classes in the class loss of training; without them all classes weigh the same. */
  readonly classWeights?: readonly number[] | undefined;
}

/** What decoding reads of a detector's options. */
export type DecodeOptions = Pick<DetectorOptions, 'size' | keyof SelectOptions>;

/** What a detector found on one image: rows belong together. */
export interface Found {
  /** [D,4], in pixels of the input. */
  readonly boxes: Xyxy;
  /** [D], 0…1, best first. */
  readonly scores: readonly number[];
  /** [D]. */
  readonly classes: readonly ClassIndex[];
}

/** An object that was found in an image. */
export interface Detection {
  readonly imageId: string | number;
  readonly classIndex: ClassIndex;
  /** x1, y1, x2, y2 in pixels of the original image, limited to the image. */
  readonly box: readonly [number, number, number, number];
  /** 0…1. */
  readonly score: number;
}

/** What the network of a head with anchors predicts for each of them: level after level, row after row, cell after
 *  cell. */
export interface AnchorPredictions {
  /** [N,A,4]: offsets (x, y, width, height) from the anchor. */
  readonly boxes: Value;
  /** [N,A,columns]: a column for each class, and with softmax one for background before them. */
  readonly logits: Value;
}

/** What a head learns from an image, and the loss over it. `Predictions` is what the head's network gives. */
export interface Criterion<Predictions> extends Pick<Network<unknown>, 'start' | 'encode' | 'blank'> {
  readonly loss: (predictions: Predictions, options?: LossOptions) => Losses;
}

/** A detector for inputs of one size, made by the head that `model.head` names. detection.ts makes a Task of it. */
export interface Detector extends Pick<Network<unknown>, 'build' | 'start' | 'encode' | 'blank'> {
  /** Whether the first column of the class predictor stands for background, before the classes' own. */
  readonly background: boolean;
  /** Set where class outputs are scores themselves. Default: softmax where the background has a column, otherwise
   *  sigmoid. */
  readonly activation?: 'none';
  /** Left out by a detector without anchors. */
  readonly anchors?: DetectorAnchors;
  /** How `decode` reads the outputs. */
  readonly decoding: Decoding;
  /** Finds the objects of one image in its outputs, which come without the axis of the batch: at most
   *  `maxDetections`. */
  decode(outputs: Readonly<Record<string, Float32Array>>): Found;
  /** Adds the boxes and scores that `decode` chooses from to the graph of these outputs, of a batch of one. */
  decodeInGraph(outputs: GraphOutputs): GraphBoxes;
}
