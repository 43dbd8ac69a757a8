/** How a network computes around its weights. With other conventions the same arrays give other outputs. */
export interface Conventions {
  /** Normalisation of RGB values in 0…255: (x − mean) / std. */
  readonly mean: readonly [number, number, number];
  readonly std: readonly [number, number, number];
  /** Padding of the convolutions: PyTorch's (`symmetric`) or TensorFlow's (`same`). */
  readonly padding: 'symmetric' | 'same';
  /** ε of the BatchNorms. */
  readonly epsilon: number;
}

/** The conventions that a file's weights were trained with, as far as they are known. */
export type KnownConventions = Partial<Conventions>;

/** Statistics of ImageNet's training images. */
export const IMAGENET = { mean: [123.675, 116.28, 103.53], std: [58.395, 57.12, 57.375] } as const;
/** Pixels from −1 to 1. */
export const CENTRED = { mean: [127.5, 127.5, 127.5], std: [127.5, 127.5, 127.5] } as const;

/** Conventions of PyTorch's networks for ImageNet, and of TensorFlow's. */
export const PYTORCH = { padding: 'symmetric', epsilon: 1e-5, ...IMAGENET } as const;
export const TENSORFLOW = { padding: 'same', epsilon: 1e-3, ...CENTRED } as const;

/** Largest difference of a normalised pixel that counts as the same normalisation: two grey levels of 255. Google's
 *  EfficientNet-Lite has mean 127 and deviation 128, which timm rounds to 127.5 and 127.5. */
const TOLERANCE = 2 / 127.5;

/** Says in what the conventions of a file contradict those of a model, apart from ε, which `loadWeights` adapts. */
export function conventionConflicts(file: KnownConventions, model: Conventions): string[] {
  const conflicts: string[] = [];
  if (file.padding !== undefined && file.padding !== model.padding) {
    conflicts.push(`padding: the weights were trained with ${file.padding}, the model has ${model.padding}`);
  }
  const normalisation = { mean: file.mean ?? model.mean, std: file.std ?? model.std };
  if (normalisationGap(normalisation, model) > TOLERANCE) {
    conflicts.push(
      `normalisation: the weights were trained with ${printed(normalisation)}, the model has ${printed(model)}`,
    );
  }
  return conflicts;
}

type Normalisation = Pick<Conventions, 'mean' | 'std'>;

/** The largest difference of a normalised pixel. */
const normalisationGap = (one: Normalisation, other: Normalisation): number =>
  Math.max(
    ...[0, 255].flatMap((x) =>
      one.mean.map((mean, i) => Math.abs((x - mean) / one.std[i]! - (x - other.mean[i]!) / other.std[i]!)),
    ),
  );

const printed = ({ mean, std }: Normalisation): string => `mean ${mean.join(', ')} and std ${std.join(', ')}`;
