import { OBJECT_SIZES, type Ceiling, type CeilingBySize } from '../tasks/detection/recallCeiling.js';
import { table } from './table.js';

const cell = ({ objects, recall, meanIou }: Ceiling): string =>
  objects === 0 ? '–' : `${(100 * recall).toFixed(0)} %  ${meanIou.toFixed(2)}`;

/** A table of recall ceilings: the share of the objects that have a match, and the mean IoU of the best anchor. */
export function ceilingTable(threshold: number, rows: readonly (readonly [name: string, CeilingBySize])[]): string {
  const kinds = ['all', ...OBJECT_SIZES] as const;
  const [, first] = rows[0]!;
  const heads = kinds.map((kind) => `${kind} (${first[kind].objects})`);
  const cells = rows.map(([name, ceiling]) => [name, ...kinds.map((kind) => cell(ceiling[kind]))]);
  return [
    `recall ceiling: share of the training objects that an anchor overlaps by IoU ${threshold}, and mean IoU of the best anchor`,
    table([['anchors', ...heads], ...cells]),
  ].join('\n');
}
