import type { Context, Style } from '../graph/blocks.js';
import { add, constant, mul } from '../graph/builder.js';
import type { Value } from '../graph/spec.js';

/** Feature maps of a backbone, by stride 2, 4, 8, 16, 32: the last ones of their size. */
export interface Taps {
  /** None where the stem goes to stride 4 at once, as AlexNet's does. */
  readonly c1?: Value;
  readonly c2: Value;
  readonly c3: Value;
  readonly c4: Value;
  /** What the classifier pools (if the architecture reaches stride 32): with the last 1×1 convolution, where the architecture has one before the pooling. */
  readonly c5: Value;
  /** Stride 16, inside the first block of stride 32, after its expansion: what SSD-lite reads. Families without
   *  such a block have none, and SSD-lite reads c4. */
  readonly c4Expanded?: Value;
}

/** Red, green, blue. */
export type Rgb = readonly [number, number, number];

/** A backbone by its published name. Its parameters are called as timm calls them (torchvision where timm has none), under `backbone.`. */
export interface Backbone {
  readonly name: string;
  readonly style: Style;
  /** What the images are normalised with, pixels of 0…255: (x − mean) / std. */
  readonly mean: Rgb;
  readonly std: Rgb;
  /** Side of the square input, pixels, that the published figures are for. */
  readonly resolution: number;
  /** Paths of the parameters of each stage, from the input on: what `freeze.stages` counts. */
  readonly stages: readonly (readonly string[])[];
  /** Where the architecture comes from. */
  readonly source: string;
  readonly features: (image: Value, at: Context) => Taps;
  readonly classifier: Classifier;
}

/** Feature maps → logits [N, classes]. The last layer is called as timm calls it, without `backbone.`; what precedes it belongs to the backbone. */
export type Classifier = (taps: Taps, at: Context, classes: number) => Value;

/** Statistics of ImageNet's training images. */
export const IMAGENET = { mean: [123.675, 116.28, 103.53], std: [58.395, 57.12, 57.375] } as const;
/** Pixels to −1…1. */
export const INCEPTION = { mean: [127.5, 127.5, 127.5], std: [127.5, 127.5, 127.5] } as const;

/** Weights trained with PyTorch. */
export const pytorch: Style = { padding: 'symmetric', epsilon: 1e-5, momentum: 0.1 };
/** Weights trained with TensorFlow. */
export const tensorflow: Style = { padding: 'same', epsilon: 1e-3, momentum: 0.03 };

/** Pixels 0…255, RGB → what the backbone wants, as a part of the graph. */
export function normalise(image: Value, { mean, std }: Pick<Backbone, 'mean' | 'std'>): Value {
  const { graph } = image.node;
  const scale = std.map((deviation) => 1 / deviation);
  const shift = mean.map((value, i) => -value / std[i]!);
  return add(mul(image, constant(graph, scale, [3])), constant(graph, shift, [3]));
}
