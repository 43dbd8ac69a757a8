import type { Category } from '../../data/sample.js';
import type { Tiling } from '../../geometry/tiles.js';
import type { Backbone, Rgb } from '../../models/backbone.js';
import type { BackboneChoice } from '../../models/table.js';
import type { SelectOptions } from '../detection/options.js';
import type { TextThresholds } from '../text/textBoxes.js';

/** The version of the description. It rises when an older program would misread a newer file. */
export const DESCRIPTION_FORMAT = 1;

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

/** How an image becomes the network's input. */
export interface ImageDescription {
  readonly resize: 'stretch' | 'letterbox' | 'crop' | 'shorterSide';
  readonly interpolation: 'bilinear' | 'bicubic';
  /** Share of the shorter side that `crop` keeps. */
  readonly cropFraction?: number | undefined;
  /** Pixels of the sides with `shorterSide`. */
  readonly limits?: { readonly min: number; readonly max: number } | undefined;
  /** How large images are cut into tiles, each an input of its own, if the model learned from tiles. */
  readonly tiles?: Tiling | undefined;
}

/** Conventions around a backbone's weights. Another network with the same arrays would compute something else. */
export interface ConventionsDescription {
  /** Normalisation of RGB values in 0…255: (x − mean) / std. */
  readonly mean: Rgb;
  readonly std: Rgb;
  /** Padding of the convolutions: PyTorch's (`symmetric`) or TensorFlow's (`same`). */
  readonly padding: 'symmetric' | 'same';
  /** ε of the BatchNorms. */
  readonly epsilon: number;
}

/** What the descriptions of all tasks have. */
export interface Described extends ConventionsDescription {
  readonly format: typeof DESCRIPTION_FORMAT;
  readonly backbone: BackboneChoice;
  /** Height and width of the input, in pixels. */
  readonly size: readonly [number, number];
  /** All sizes of the input, where there are several. */
  readonly sizes?: readonly (readonly [number, number])[] | undefined;
  /** The classes in the order of the outputs. */
  readonly categories: readonly { readonly id: number; readonly name: string }[];
  readonly images: ImageDescription;
}

/** The name of a detector's head, and its own options (tasks/detection/detectors/<head>/). */
export type HeadDescription = { readonly head: string } & Readonly<Record<string, unknown>>;

export interface DetectorDescription extends Described {
  readonly task: 'detection';
  readonly head: HeadDescription;
  /** The function that makes scores of the class outputs. */
  readonly activation: 'softmax' | 'sigmoid' | 'none';
  /** Whether the first class output stands for the background. */
  readonly background: boolean;
  /** Which of the predicted boxes become detections. */
  readonly selection: Omit<SelectOptions, 'numClasses'>;
}

export interface ClassifierDescription extends Described {
  readonly task: 'classification';
  readonly activation: 'softmax';
}

export interface TextDescription extends Described {
  readonly task: 'text';
  readonly head: 'craft' | 'craft-lite';
  /** Height and width of the input for whole images; `size` is that of the crops in training. */
  readonly evaluateSize: readonly [number, number];
  readonly thresholds: TextThresholds;
}

/** Everything that a model is built from, apart from its weights. Our weights files carry it. */
export type ModelDescription = DetectorDescription | ClassifierDescription | TextDescription;

/** The part of the description that the network knows; data and format are added by `describeModel`. */
export type NetworkDescription = DistributiveOmit<ModelDescription, 'format' | 'categories' | 'images'>;

/** How images are read unless a recipe says otherwise. */
const USUAL_IMAGES: { readonly [Task in ModelDescription['task']]: ImageDescription } = {
  detection: { resize: 'stretch', interpolation: 'bilinear' },
  classification: { resize: 'crop', interpolation: 'bicubic', cropFraction: 0.875 },
  text: { resize: 'letterbox', interpolation: 'bilinear' },
};

/** The description of a network with these classes. */
export const describeModel = (
  network: NetworkDescription,
  categories: readonly Category[],
  images: ImageDescription = USUAL_IMAGES[network.task],
): ModelDescription => ({
  format: DESCRIPTION_FORMAT,
  ...network,
  categories: categories.map(({ id, name }) => ({ id, name })),
  images,
});

export const conventionsOf = ({ mean, std, style }: Backbone): ConventionsDescription => ({
  mean,
  std,
  padding: style.padding,
  epsilon: style.epsilon,
});
