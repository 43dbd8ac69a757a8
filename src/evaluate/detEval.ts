import { combine, hmean, type IcdarResult, type ImageScore } from './hmean.js';
import type { TextData, TextImage } from './icdarFiles.js';
import type { Outline } from '../data/formats/text/layout.js';

/** The script's parameters, with the names of Wolf and Jolion 2006. */
const AREA_RECALL = 0.8; // tr
const AREA_PRECISION = 0.4; // tp
/** What a word that was found in pieces adds to recall, and what each piece adds to precision. */
const SPLIT = 0.8;
/** Distance of the centres, divided by the mean diagonal, from which on two rectangles are no pair. */
const CENTRE_DISTANCE = 1;

interface Rectangle {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** Score like the script of ICDAR 2013 Challenge 2, task 1 (rrc.cvc.uab.es, "ICDAR2013 evaluation", DetEval). Words and
 *  detections are rectangles whose right and bottom pixels belong to them; outlines become the rectangles around them.
 *  Words merged in one detection get the full score here; in Wolf's own DetEval they get 0.8, like split ones. */
export function scoreDetEval({ images }: TextData): IcdarResult {
  return combine('deteval', images.map(scoreImage));
}

function scoreImage({ id, words, detections }: TextImage): ImageScore {
  const truth = words.map(toRectangle);
  const found = detections.map(toRectangle);
  const skipWord = words.map(({ dontCare }) => dontCare);
  const masks = truth.filter((_, g) => skipWord[g]);
  const skipFound = found.map((box) => masks.some((mask) => overlap(mask, box) / area(box) > AREA_PRECISION));
  const counted = (skip: readonly boolean[]) => skip.filter((skipped) => !skipped).length;
  const [numWords, numFound] = [counted(skipWord), counted(skipFound)];

  const { recallHits, precisionHits } = match({ truth, found, skipWord, skipFound });
  const rates =
    found.length === 0
      ? { recall: Number(words.length === 0), precision: Number(words.length === 0) } // 0 if all words are "###", as in the script
      : numWords === 0
        ? { recall: 1, precision: 0 }
        : { recall: recallHits / numWords, precision: numFound === 0 ? 0 : precisionHits / numFound };
  return { id, ...rates, hmean: hmean(rates), recallHits, precisionHits, words: numWords, detections: numFound };
}

interface Pairs {
  readonly truth: readonly Rectangle[];
  readonly found: readonly Rectangle[];
  readonly skipWord: readonly boolean[];
  readonly skipFound: readonly boolean[];
}

/** Matches one to one, then one word to many detections, then many words to one detection, in the script's order. */
function match({ truth, found, skipWord, skipFound }: Pairs): { recallHits: number; precisionHits: number } {
  const shared = truth.map((word) => found.map((box) => overlap(word, box)));
  const recall = shared.map((row, g) => row.map((pixels) => pixels / area(truth[g]!)));
  const precision = shared.map((row) => row.map((pixels, d) => pixels / area(found[d]!)));
  const wordTaken = truth.map(() => false);
  const foundTaken = found.map(() => false);
  const sum = { recallHits: 0, precisionHits: 0 };

  const fits = (g: number, d: number) => recall[g]![d]! >= AREA_RECALL && precision[g]![d]! >= AREA_PRECISION;
  const rowFits = truth.map((_, g) => found.filter((_box, d) => fits(g, d)).length);
  const columnFits = found.map((_, d) => truth.filter((_word, g) => fits(g, d)).length);
  const touchedBy = truth.map((_, g) => found.filter((_box, d) => !skipFound[d] && recall[g]![d]! > 0).length);
  const touching = found.map((_, d) => truth.filter((_word, g) => !skipWord[g] && recall[g]![d]! > 0).length);

  truth.forEach((word, g) => {
    found.forEach((box, d) => {
      if (wordTaken[g] || foundTaken[d] || skipWord[g] || skipFound[d]) return;
      const isOnly = fits(g, d) && rowFits[g] === 1 && columnFits[d] === 1 && touchedBy[g] === 1 && touching[d] === 1;
      if (!isOnly || !(centreDistance(word, box) < CENTRE_DISTANCE)) return;
      wordTaken[g] = foundTaken[d] = true;
      sum.recallHits++;
      sum.precisionHits++;
    });
  });
  truth.forEach((_, g) => {
    if (skipWord[g] || wordTaken[g] || touchedBy[g]! < 2) return;
    const pieces = indices(found, (d) => !foundTaken[d] && !skipFound[d] && precision[g]![d]! >= AREA_PRECISION);
    if (
      !reaches(
        pieces.map((d) => recall[g]![d]!),
        AREA_RECALL,
      )
    )
      return;
    wordTaken[g] = true;
    for (const d of pieces) foundTaken[d] = true;
    sum.recallHits += pieces.length === 1 ? 1 : SPLIT;
    sum.precisionHits += pieces.length === 1 ? 1 : SPLIT * pieces.length;
  });
  found.forEach((_, d) => {
    if (skipFound[d] || foundTaken[d] || touching[d]! < 2) return;
    const merged = indices(truth, (g) => !wordTaken[g] && !skipWord[g] && recall[g]![d]! >= AREA_RECALL);
    if (
      !reaches(
        merged.map((g) => precision[g]![d]!),
        AREA_PRECISION,
      )
    )
      return;
    foundTaken[d] = true;
    for (const g of merged) wordTaken[g] = true;
    sum.recallHits += merged.length;
    sum.precisionHits++;
  });
  return sum;
}

const indices = (list: readonly unknown[], test: (index: number) => boolean): number[] =>
  [...list.keys()].filter((index) => test(index));

/** The script compares the sum rounded to four digits. */
const reaches = (parts: readonly number[], threshold: number): boolean =>
  Math.round(parts.reduce((total, part) => total + part, 0) * 1e4) / 1e4 >= threshold;

function toRectangle({ points }: Outline): Rectangle {
  const xs = points.filter((_, i) => i % 2 === 0);
  const ys = points.filter((_, i) => i % 2 === 1);
  return { left: Math.min(...xs), top: Math.min(...ys), right: Math.max(...xs), bottom: Math.max(...ys) };
}

const width = ({ left, right }: Rectangle): number => right - left + 1;
const height = ({ top, bottom }: Rectangle): number => bottom - top + 1;
const area = (box: Rectangle): number => width(box) * height(box);

function overlap(a: Rectangle, b: Rectangle): number {
  const dx = Math.min(a.right, b.right) - Math.max(a.left, b.left) + 1;
  const dy = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) + 1;
  return dx >= 0 && dy >= 0 ? dx * dy : 0;
}

/** Distance between the centres, divided by the mean diagonal. */
function centreDistance(a: Rectangle, b: Rectangle): number {
  const dx = a.left + width(a) / 2 - (b.left + width(b) / 2);
  const dy = a.top + height(a) / 2 - (b.top + height(b) / 2);
  const diagonal = (box: Rectangle) => Math.hypot(width(box), height(box));
  return (2 * Math.hypot(dx, dy)) / (diagonal(a) + diagonal(b));
}
