import { OBJECT_SIZES, type Ceiling, type CeilingBySize } from '../tasks/detection/recallCeiling.js';
import { table } from './table.js';

const cell = ({ objects, recall, meanIou }: Ceiling): string =>
  objects === 0 ? '–' : `${(100 * recall).toFixed(0)} %  ${meanIou.toFixed(2)}`;

/** Recall ceilings, a row each: the share of the objects with a match and the mean IoU of the best anchor. */
export function ceilingTable(threshold: number, rows: readonly (readonly [name: string, CeilingBySize])[]): string {
  const kinds = ['all', ...OBJECT_SIZES] as const;
  const [, first] = rows[0]!;
  const heads = kinds.map((kind) => `${kind} (${first[kind].objects})`);
  const cells = rows.map(([name, ceiling]) => [name, ...kinds.map((kind) => cell(ceiling[kind]))]);
  return [
    `recall ceiling: objects of train that some anchor overlaps by IoU ${threshold}, and the mean IoU of the best one`,
    table([['anchors', ...heads], ...cells]),
  ].join('\n');
}
