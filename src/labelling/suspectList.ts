import { lineOf } from '../predict/outputs/csv.js';
import type { Corners } from '../tasks/section.js';
import type { Suspect } from './suspect.js';

const HEADS = [
  ...['file', 'part', 'kind', 'disagreement'],
  ...['label', 'label_x', 'label_y', 'label_width', 'label_height'],
  ...['model', 'score', 'model_x', 'model_y', 'model_width', 'model_height'],
];

/** Suspects as a table with a label in each row, the most suspicious first. Boxes are pixels of the image. */
export const suspectTable = (suspects: readonly Suspect[]): string =>
  [
    HEADS,
    ...suspects.map(({ file, part, kind, disagreement, label, model }) => [
      ...[file, part, kind, disagreement.toFixed(4)],
      ...[label?.category ?? '', ...cellsOf(label?.box)],
      ...[model?.category ?? '', model?.score.toFixed(5) ?? '', ...cellsOf(model?.box)],
    ]),
  ]
    .map(lineOf)
    .join('');

/** A suspect as programs read it: boxes are x, y, width, height. */
export const suspectJson = ({ file, part, imageId, kind, row, disagreement, label, model }: Suspect): object => ({
  ...{ file, part, imageId, kind },
  ...(row !== undefined && { row }),
  disagreement: Number(disagreement.toFixed(4)),
  ...(label && { label: { category: label.category, ...(label.box && { box: sized(label.box) }) } }),
  ...(model && {
    model: {
      category: model.category,
      score: Number(model.score.toFixed(5)),
      ...(model.box && { box: sized(model.box) }),
    },
  }),
});

const cellsOf = (box: Corners | undefined): (number | string)[] => (box ? sized(box) : ['', '', '', '']);

const sized = ([x1, y1, x2, y2]: Corners): number[] =>
  [x1, y1, x2 - x1, y2 - y1].map((value) => Number(value.toFixed(2)));
