import type { FinetuneError } from '../errors.js';
import type { FoundClass, FoundObject, FoundWord } from '../tasks/found.js';

/** What a model finds in an image, by its task. */
export type AnyFound = FoundObject | FoundClass | FoundWord;

/** The result for one file. */
export type Entry = PredictedEntry | FailedEntry;

export interface PredictedEntry {
  readonly file: string;
  readonly width: number;
  readonly height: number;
  readonly predictions: readonly AnyFound[];
  readonly error?: never;
}
export interface FailedEntry {
  readonly file: string;
  readonly error: FinetuneError;
}

/** Digits after the point of a score, and of a pixel. */
const [SCORE_DIGITS, PIXEL_DIGITS] = [5, 2];
const rounded = (digits: number) => (value: number) => Number(value.toFixed(digits));
const score = rounded(SCORE_DIGITS);
const pixel = rounded(PIXEL_DIGITS);

/** The entry as programs read it: `finetune predict --json`. */
export function entryToJson(entry: Entry): object {
  const { file } = entry;
  if (entry.error) {
    const { code, problems } = entry.error;
    return { file, error: { code, message: problems[0]?.message ?? entry.error.message } };
  }
  const { width, height } = entry;
  return { file, width, height, predictions: entry.predictions.map(roundedFound) };
}

function roundedFound(found: AnyFound): object {
  if ('probability' in found) return { ...found, probability: score(found.probability) };
  if ('polygon' in found) return { score: score(found.score), polygon: found.polygon.map((point) => point.map(pixel)) };
  return { ...found, score: score(found.score), box: found.box.map(pixel) };
}
