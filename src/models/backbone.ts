import type { Context, Style } from '../graph/blocks.js';
import { add, constant, mul } from '../graph/builder.js';
import type { Value } from '../graph/spec.js';

/** Feature maps of a backbone at strides 2, 4, 8, 16 and 32: the last map of each size. */
export interface Taps {
  /** Missing where the stem has stride 4, as in AlexNet. */
  readonly c1?: Value;
  readonly c2: Value;
  readonly c3: Value;
  readonly c4: Value;
  /** The map that the classifier pools (if the architecture reaches stride 32), behind the last 1×1 convolution where
   *  the architecture has one before the pooling. */
  readonly c5: Value;
  /** The map that SSD-lite reads at stride 16: inside the first block of stride 32, after its expansion. Families
   *  without such a block lack it, and SSD-lite reads c4. */
  readonly c4Expanded?: Value;
}

/** Red, green, blue. */
export type Rgb = readonly [number, number, number];

/** A backbone by its published name. Its parameters have the names of timm (of torchvision, if timm lacks it), with
 *  `backbone.` before them. */
export interface Backbone {
  readonly name: string;
  readonly style: Style;
  /** Normalisation of the image, for pixels in 0…255: (x − mean) / std. */
  readonly mean: Rgb;
  readonly std: Rgb;
  /** Side of the square input that the published figures are for, in pixels. */
  readonly resolution: number;
  /** Paths of the parameters of each stage, from the input on. `freeze.stages` counts these stages. */
  readonly stages: readonly (readonly string[])[];
  /** Source of the architecture, for docs/models.md: mostly a publication. */
  readonly source: string;
  readonly features: (image: Value, at: Context) => Taps;
  readonly classifier: Classifier;
}

/** Feature maps → logits [N, classes]. The last layer has the name of timm, without `backbone.`; layers before it
 *  belong to the backbone. */
export type Classifier = (taps: Taps, at: Context, classes: number) => Value;

/** Statistics of ImageNet's training images. */
export const IMAGENET = { mean: [123.675, 116.28, 103.53], std: [58.395, 57.12, 57.375] } as const;
/** Maps pixels to −1…1. */
export const INCEPTION = { mean: [127.5, 127.5, 127.5], std: [127.5, 127.5, 127.5] } as const;

/** Padding and BatchNorm of weights that PyTorch trained. */
export const pytorch: Style = { padding: 'symmetric', epsilon: 1e-5, momentum: 0.1 };
/** Padding and BatchNorm of weights that TensorFlow trained. */
export const tensorflow: Style = { padding: 'same', epsilon: 1e-3, momentum: 0.03 };

/** Normalises an image (RGB, 0…255) for a backbone, as a part of the graph. */
export function normalise(image: Value, { mean, std }: Pick<Backbone, 'mean' | 'std'>): Value {
  const { graph } = image.node;
  const scale = std.map((deviation) => 1 / deviation);
  const shift = mean.map((value, i) => -value / std[i]!);
  return add(mul(image, constant(graph, scale, [3])), constant(graph, shift, [3]));
}
