import type { PartName } from '../data/sample.js';
import type { Corners, PredictedBox, TruthBox } from '../tasks/section.js';

/** What may be wrong with a label: an object has none; it has the wrong class; its box fits badly; or the model sees
 *  nothing at its place. */
export const SUSPICIONS = ['missing', 'class', 'loose', 'unseen'] as const;
export type Suspicion = (typeof SUSPICIONS)[number];

/** A label that a trained model disagrees with. */
export interface Suspect {
  readonly kind: Suspicion;
  readonly part: PartName;
  readonly file: string;
  readonly imageId: string | number;
  /** Row of the label among those of its image, as the data set was read; absent if the label is missing, and for the
   *  class of a whole image. */
  readonly row?: number;
  /** The label as it is; absent if it is missing. A whole image has no box. */
  readonly label?: { readonly category: string; readonly box?: Corners };
  /** What the model says; absent where it sees nothing. The score is the model's, 0…1. */
  readonly model?: { readonly category: string; readonly score: number; readonly box?: Corners };
  /** The probability that the label is wrong, 0…1; for the class of a whole image, that of the other class. The list is
   *  sorted by it. */
  readonly disagreement: number;
}

/** An image with its labels and with what a model finds on it. */
interface Looked {
  readonly part: PartName;
  readonly file: string;
  readonly imageId: string | number;
}

export interface LookedAtBoxes extends Looked {
  /** Pixels. */
  readonly width: number;
  readonly height: number;
  readonly truth: readonly TruthBox[];
  /** Best first. */
  readonly found: readonly PredictedBox[];
  /** What closer looks at each label show. */
  readonly closer?: readonly (readonly PredictedBox[])[];
  /** What looks at parts of the image show, wherever its labels are. */
  readonly tiles?: readonly PredictedBox[];
}

export interface LookedAtWhole extends Looked {
  readonly label: string;
  /** The most probable classes, best first. */
  readonly found: readonly { readonly category: string; readonly probability: number }[];
}

/** Smallest disagreement that is listed. */
const LEAST_DISAGREEMENT = 0.05;

/** The suspects that are worth a look, the most confident disagreement first. */
export const ranked = (suspects: readonly Suspect[]): Suspect[] =>
  suspects
    .filter(({ disagreement }) => disagreement >= LEAST_DISAGREEMENT)
    .sort((a, b) => b.disagreement - a.disagreement);

/** A suspicion as a sentence. */
export function describeSuspect({ kind, label, model }: Suspect): string {
  const score = model?.score.toFixed(2);
  switch (kind) {
    case 'missing':
      return `no label at a ${model!.category} (score ${score})`;
    case 'class':
      return `labelled ${label!.category}, looks like ${model!.category} (score ${score})`;
    case 'loose':
      return `the box of a ${label!.category} does not fit what the model sees (score ${score})`;
    case 'unseen':
      return `labelled ${label!.category}, but the model sees nothing there`;
  }
}
