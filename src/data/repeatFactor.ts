import { randomStream } from '../random.js';
import { learnedClasses } from './countObjects.js';
import type { Annotation, Dataset } from './sample.js';

/** Keeps the rounding of a sum, which depends on the order of its terms, from changing the number of images. */
const EPSILON = 1e-6;

/** How often each image comes in an epoch, on average, so that rare categories are seen more often. Gupta et al. 2019
 *  (arXiv:1908.03195), section 4.2: a category on a share f of the images has r = max(1, √(threshold / f)), and an
 *  image has the largest r of its categories. */
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

/** How often an epoch repeats each image: by repeat-factor sampling if there is a threshold, else as the data set asks.
 *  Undefined if every image comes once. */
export const wantedRepeats = (
  data: Pick<Dataset, 'categories' | 'annotations' | 'repeat'>,
  threshold: number | null,
): Float64Array | undefined => (threshold === null ? data.repeat : repeatFactors(data, threshold));

/** The categories of the objects to learn on an image, each once. */
const categoriesOn = (annotation: Annotation): ReadonlySet<number> => new Set(learnedClasses(annotation));

/** Number of images in an epoch. */
export const repeatedLength = (factors: Float64Array): number =>
  Math.floor(factors.reduce((sum, factor) => sum + factor, 0) + EPSILON);

/** The rows of an epoch, shuffled: row i comes ⌊rᵢ⌋ or ⌈rᵢ⌉ times, rᵢ times on average. The paper draws each fraction
 *  independently. Here they are drawn at even distances along a random order of the images (systematic sampling, Madow
 *  & Madow 1944): the chances are the same, and every epoch has the same number of images, so that the steps and the
 *  schedule are known beforehand. */
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
  return random.shuffle(rows).slice(0, repeatedLength(factors)); // rows has at most one more
}
