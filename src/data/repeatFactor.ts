import { randomStream } from '../random.js';
import { learnedClasses } from './countObjects.js';
import type { Annotation, Dataset } from './sample.js';

/** Against the rounding of sums in another order. */
const EPSILON = 1e-6;

/** How often each image is wanted in an epoch, on average: rare categories are seen more often. Gupta et al. 2019 (arXiv:1908.03195), section 4.2: a category on a share
 *  f of the images has r = max(1, √(threshold / f)), an image the largest r of its categories. */
export function repeatFactors(
  { categories, annotations }: Pick<Dataset, 'categories' | 'annotations'>,
  threshold: number,
): Float64Array {
  const images = categories.map(() => 0);
  for (const annotation of annotations) for (const one of categoriesOn(annotation)) images[one]!++;
  const factors = images.map((count) => Math.max(1, Math.sqrt((threshold * annotations.length) / count)));
  return Float64Array.from(annotations, (annotation) =>
    Math.max(1, ...[...categoriesOn(annotation)].map((one) => factors[one]!)),
  );
}

/** What an epoch repeats: for the categories' sake where there is a threshold, else what the data set itself wants; undefined: nothing. */
export const wantedRepeats = (
  data: Pick<Dataset, 'categories' | 'annotations' | 'repeat'>,
  threshold: number | null,
): Float64Array | undefined => (threshold === null ? data.repeat : repeatFactors(data, threshold));

/** Categories with an object to learn on the image, each once. */
const categoriesOn = (annotation: Annotation): ReadonlySet<number> => new Set(learnedClasses(annotation));

/** Images of an epoch. */
export const repeatedLength = (factors: Float64Array): number =>
  Math.floor(factors.reduce((sum, factor) => sum + factor, 0) + EPSILON);

/** The rows of an epoch, shuffled: row i ⌊rᵢ⌋ or ⌈rᵢ⌉ times, on average rᵢ. The paper draws each fraction for itself; drawn at even distances along a random
 *  order of the images (systematic sampling, Madow & Madow 1944) each has the same chance, and every epoch has the same number of images, so that steps and schedule are known. */
export function repeatRows(factors: Float64Array, seed: number, epoch: number): number[] {
  const random = randomStream(seed, `repeat/${epoch}`);
  const order = random.shuffle(Array.from(factors.keys()));
  const start = random.uniform(2 * EPSILON, 1);
  const rows: number[] = [];
  let sum = start;
  for (const row of order) {
    const before = Math.floor(sum);
    sum += factors[row]!;
    for (let i = before; i < Math.floor(sum); i++) rows.push(row);
  }
  return random.shuffle(rows).slice(0, repeatedLength(factors)); // one more than that, at most
}
