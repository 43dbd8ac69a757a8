import type { Style } from '../../graph/blocks.js';
import { IMAGENET, INCEPTION, pytorch, tensorflow, type Backbone } from '../backbone.js';
import { divisible } from './divisible.js';
import { mobileNetwork, scaleTable, type Table } from './mobileNetwork.js';

/** Sandler et al. 2018 (arXiv:1801.04381), table 2: expansion, channels, repeats, stride. */
const table: Table = [
  [['ds', 1, 16, 1, 1]],
  [['ir', 6, 24, 2, 2]],
  [['ir', 6, 32, 3, 2]],
  [['ir', 6, 64, 4, 2]],
  [['ir', 6, 96, 3, 1]],
  [['ir', 6, 160, 3, 2]],
  [['ir', 6, 320, 1, 1]],
];
const STEM = 32;
const HEAD = 1280;

const network = (table: Table, width: number): ReturnType<typeof mobileNetwork> =>
  mobileNetwork({
    stem: divisible(STEM * width),
    table: scaleTable(table, { width }),
    head: Math.max(HEAD, divisible(HEAD * width)),
    activation: 'relu6',
    se: { of: 'input', gate: 'sigmoid' },
  });

/** The name is timm's, e.g. mobilenetv2_100. The prefix `tf_` is for weights that TensorFlow trained (padding SAME, ε
 *  1e-3). */
const variant = (width: number, style: Style): Backbone => ({
  name: `${style === tensorflow ? 'tf_' : ''}mobilenetv2_${String(Math.round(width * 100)).padStart(3, '0')}`,
  style,
  ...(style === tensorflow ? INCEPTION : IMAGENET),
  resolution: 224,
  source: 'arXiv:1801.04381',
  ...network(table, width),
});

/** Every depthwise convolution mixes kernels of 3×3, 5×5 and 7×7: Tan & Le 2019 (arXiv:1907.09595), table 1. */
const mixed = table.map((rows) =>
  rows.map(([block, expansion, channels, repeats, stride]) => {
    const options = { kernel: [3, 5, 7] };
    return [block, expansion, channels, repeats, stride, options] as const;
  }),
);

export const mobilenetv2: readonly Backbone[] = [
  ...[0.35, 0.5, 0.75, 1, 1.4].flatMap((width) => [variant(width, pytorch), variant(width, tensorflow)]),
  {
    name: 'mobilenetv2_mixconv',
    style: pytorch,
    ...IMAGENET,
    resolution: 224,
    source: 'arXiv:1907.09595, table 1',
    ...network(mixed, 1),
  },
];
