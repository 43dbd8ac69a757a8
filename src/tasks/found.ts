import { topClasses, type Classification } from './classification/probabilities.js';
import type { ModelDescription } from './description/description.js';
import type { Detection } from './detection/detector.js';
import type { TextDetection } from './text/findText.js';

/** An object that was found. */
export interface FoundObject {
  readonly category: string;
  readonly categoryId: number;
  /** 0…1. */
  readonly score: number;
  /** x, y, width, height in pixels of the image. */
  readonly box: readonly [number, number, number, number];
}

/** A class of the image and its probability. */
export interface FoundClass {
  readonly category: string;
  readonly categoryId: number;
  readonly probability: number;
}

/** A word that was found. */
export interface FoundWord {
  readonly score: number;
  /** Corners in pixels of the image, clockwise from the top of the first letter. */
  readonly polygon: readonly (readonly [number, number])[];
}

type Categories = ModelDescription['categories'];

/** Number of classes that a classifier returns. */
export const SHOWN = 5;

export const objectsOf = (found: readonly Detection[], categories: Categories): FoundObject[] =>
  found.map(({ box: [x1, y1, x2, y2], score, classIndex }) => ({
    ...categoryOf(categories, classIndex),
    score,
    box: [x1, y1, x2 - x1, y2 - y1],
  }));

/** The most probable classes, as far as their probability reaches `least`. */
export const classesOf = ({ probabilities }: Classification, categories: Categories, least: number): FoundClass[] =>
  topClasses(probabilities, SHOWN)
    .filter((index) => probabilities[index]! >= least)
    .map((index) => ({ ...categoryOf(categories, index), probability: probabilities[index]! }));

/** The words whose score reaches `least`, best first. */
export const wordsOf = (words: readonly TextDetection[], least: number): FoundWord[] =>
  words
    .filter(({ score }) => score >= least)
    .sort((one, other) => other.score - one.score)
    .map(({ outline, score }) => ({ score, polygon: pointsOf(outline) }));

function categoryOf(categories: Categories, index: number): Pick<FoundObject, 'category' | 'categoryId'> {
  const { id, name } = categories[index]!;
  return { category: name, categoryId: id };
}

const pointsOf = (outline: readonly number[]): [number, number][] =>
  Array.from({ length: outline.length / 2 }, (_, i) => [outline[2 * i]!, outline[2 * i + 1]!]);
