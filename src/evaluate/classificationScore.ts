import type { ClassIndex } from '../data/sample.js';

/** Scores of a classifier, as fractions; −1 if there is nothing to measure. */
export interface ClassificationScore {
  readonly metric: 'classification';
  /** Share of the images whose class is the most probable one, or among the five most probable. */
  readonly top1: number;
  readonly top5: number;
  /** 1 − top1 and 1 − top5, as in ImageNet's tables. */
  readonly top1Error: number;
  readonly top5Error: number;
  /** Mean of the classes' recalls: each class counts equally, however many images it has. */
  readonly meanPerClass: number;
  readonly images: number;
  readonly perCategory: readonly {
    readonly id: number;
    readonly name: string;
    readonly images: number;
    /** Share of the images predicted as this class that are of it. */
    readonly precision: number;
    /** Share of the images of this class that are predicted as it. */
    readonly recall: number;
  }[];
}

/** An image's class and the predicted classes, most probable first. */
export interface Answer {
  readonly label: ClassIndex;
  readonly top: readonly ClassIndex[];
}

const ratio = (part: number, whole: number): number => (whole > 0 ? part / whole : -1);

/** Scores answers, which must have at least five classes each (or all classes). */
export function scoreClassification(
  categories: readonly { readonly id: number; readonly name: string }[],
  answers: readonly Answer[],
): ClassificationScore {
  const count = (holds: (answer: Answer) => boolean): number => answers.filter(holds).length;
  const top1 = ratio(
    count(({ label, top }) => top[0] === label),
    answers.length,
  );
  const top5 = ratio(
    count(({ label, top }) => top.slice(0, 5).includes(label)),
    answers.length,
  );
  const [truth, taken, hits] = [0, 0, 0].map(() => new Uint32Array(categories.length)) as [
    Uint32Array,
    Uint32Array,
    Uint32Array,
  ];
  for (const { label, top } of answers) {
    truth[label]!++;
    taken[top[0]!]!++;
    if (top[0] === label) hits[label]!++;
  }
  const perCategory = categories.map(({ id, name }, i) => ({
    id,
    name,
    images: truth[i]!,
    precision: ratio(hits[i]!, taken[i]!),
    recall: ratio(hits[i]!, truth[i]!),
  }));
  const recalls = perCategory.flatMap(({ recall }) => (recall >= 0 ? [recall] : []));
  return {
    metric: 'classification',
    top1,
    top5,
    top1Error: top1 < 0 ? -1 : 1 - top1,
    top5Error: top5 < 0 ? -1 : 1 - top5,
    meanPerClass: ratio(
      recalls.reduce((sum, recall) => sum + recall, 0),
      recalls.length,
    ),
    images: answers.length,
    perCategory,
  };
}

/** counts[i][j]: number of images of class i that are predicted as class j. */
export function confusionMatrix(classes: number, answers: readonly Answer[]): number[][] {
  const counts = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  for (const { label, top } of answers) counts[label]![top[0]!]!++;
  return counts;
}
