import { INCEPTION, pytorch, type Backbone } from '../backbone.js';
import { divisible } from './divisible.js';
import type { RowOptions } from './mobileBlocks.js';
import { mobileNetwork, scaleTable, type Table } from './mobileNetwork.js';

/** Howard et al. 2017 (arXiv:1704.04861), table 1, grouped into stages of one stride: channels, repeats, stride. */
const rows = [
  [64, 1, 1],
  [128, 2, 2],
  [256, 2, 2],
  [512, 6, 2],
  [1024, 2, 2],
] as const;
const STEM = 32;

const variant = (name: string, source: string, width: number, options: RowOptions = {}): Backbone => {
  const table: Table = rows.map(([channels, repeats, stride]) => [['dsa', 1, channels, repeats, stride, options]]);
  return {
    name,
    style: pytorch,
    ...INCEPTION,
    resolution: 224,
    source,
    ...mobileNetwork({
      stem: divisible(STEM * width),
      table: scaleTable(table, { width }),
      head: 0,
      activation: 'relu6',
      se: { of: 'input', gate: 'sigmoid' },
    }),
  };
};

const PAPER = 'arXiv:1704.04861';

export const mobilenetv1: readonly Backbone[] = [
  ...[0.25, 0.5, 0.75, 1, 1.25].map((width) =>
    variant(`mobilenetv1_${String(width * 100).padStart(3, '0')}`, PAPER, width),
  ),
  // Every depthwise convolution mixes kernels of 3×3, 5×5 and 7×7.
  variant('mobilenetv1_mixconv', 'arXiv:1907.09595, table 1', 1, { kernel: [3, 5, 7] }),
];
