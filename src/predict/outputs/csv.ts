import type { AnyFound, PredictedEntry } from '../entry.js';
import type { OpenedModel } from '../openModel.js';

const HEADS = {
  detection: ['category', 'categoryId', 'score', 'x', 'y', 'width', 'height'],
  classification: ['category', 'categoryId', 'probability'],
  text: ['score', 'polygon'],
} as const satisfies Record<OpenedModel['task'], readonly string[]>;

/** The first line of predictions.csv. */
export const csvHead = (task: OpenedModel['task']): string => lineOf(['file', ...HEADS[task]]);

/** The lines of an image, one for each prediction: RFC 4180. */
export const csvLines = ({ file, predictions }: PredictedEntry): string =>
  predictions.map((found) => lineOf([file, ...cellsOf(found)])).join('');

function cellsOf(found: AnyFound): (string | number)[] {
  if ('probability' in found) return [found.category, found.categoryId, found.probability.toFixed(5)];
  const score = found.score.toFixed(5);
  if ('polygon' in found)
    return [
      score,
      found.polygon
        .flat()
        .map((value) => value.toFixed(2))
        .join(' '),
    ]; // x1 y1 x2 y2 …
  return [found.category, found.categoryId, score, ...found.box.map((value) => value.toFixed(2))];
}

/** A line of a table: RFC 4180. */
export const lineOf = (cells: readonly (string | number)[]): string => `${cells.map(cellText).join(',')}\r\n`;

function cellText(cell: string | number): string {
  const text = String(cell);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
