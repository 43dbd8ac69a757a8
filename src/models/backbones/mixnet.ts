import type { Style } from '../../graph/blocks.js';
import { IMAGENET, pytorch, tensorflow, type Backbone } from '../backbone.js';
import { divisible } from './divisible.js';
import type { RowOptions } from './mobileBlocks.js';
import { mobileNetwork, scaleTable, type Table } from './mobileNetwork.js';

/** Kernels and squeeze-excite ratio of a row. Rows with squeeze-excite use swish. */
const k = (kernels: readonly number[], se?: number): RowOptions => ({
  kernel: kernels.length === 1 ? kernels[0]! : kernels,
  ...(se !== undefined && { se, activation: 'swish' }),
});
/** Two 1×1 convolutions side by side in the expansion, in the projection, or in both. */
const expand2: RowOptions = { expandGroups: 2 };
const project2: RowOptions = { projectGroups: 2 };
const both2: RowOptions = { ...expand2, ...project2 };

/** Tan & Le 2019 (arXiv:1907.09595), figure 5, with the details of the authors' code (tensorflow/tpu, mnasnet/mixnet):
 *  expansion, channels, repeats, stride. */
const small: Table = [
  [['ds', 1, 16, 1, 1]],
  [['ir', 6, 24, 1, 2, both2], ['ir', 3, 24, 1, 1, both2]],
  [['ir', 6, 40, 1, 2, k([3, 5, 7], 0.5)], ['ir', 6, 40, 3, 1, { ...k([3, 5], 0.5), ...both2 }]],
  [['ir', 6, 80, 1, 2, { ...k([3, 5, 7], 0.25), ...project2 }], ['ir', 6, 80, 2, 1, { ...k([3, 5], 0.25), ...project2 }]],
  [['ir', 6, 120, 1, 1, { ...k([3, 5, 7], 0.5), ...both2 }], ['ir', 3, 120, 2, 1, { ...k([3, 5, 7, 9], 0.5), ...both2 }]],
  [['ir', 6, 200, 1, 2, k([3, 5, 7, 9, 11], 0.5)], ['ir', 6, 200, 2, 1, { ...k([3, 5, 7, 9], 0.5), ...project2 }]],
]; // prettier-ignore

const medium: Table = [
  [['ds', 1, 24, 1, 1]],
  [['ir', 6, 32, 1, 2, { ...k([3, 5, 7]), ...both2 }], ['ir', 3, 32, 1, 1, both2]],
  [['ir', 6, 40, 1, 2, k([3, 5, 7, 9], 0.5)], ['ir', 6, 40, 3, 1, { ...k([3, 5], 0.5), ...both2 }]],
  [['ir', 6, 80, 1, 2, k([3, 5, 7], 0.25)], ['ir', 6, 80, 3, 1, { ...k([3, 5, 7, 9], 0.25), ...both2 }]],
  [['ir', 6, 120, 1, 1, k([3], 0.5)], ['ir', 3, 120, 3, 1, { ...k([3, 5, 7, 9], 0.5), ...both2 }]],
  [['ir', 6, 200, 1, 2, k([3, 5, 7, 9], 0.5)], ['ir', 6, 200, 3, 1, { ...k([3, 5, 7, 9], 0.5), ...project2 }]],
]; // prettier-ignore

const HEAD = 1536;
const sizes = [
  ['s', small, 16, 1],
  ['m', medium, 24, 1],
  ['l', medium, 24, 1.3],
] as const;

const variant = (style: Style, [size, table, stem, width]: (typeof sizes)[number]): Backbone => ({
  name: `${style === tensorflow ? 'tf_' : ''}mixnet_${size}`,
  style,
  ...IMAGENET,
  resolution: 224,
  source: 'arXiv:1907.09595',
  ...mobileNetwork({
    stem: divisible(stem * width),
    table: scaleTable(table, { width }),
    head: HEAD,
    activation: 'relu',
    se: { of: 'input', gate: 'sigmoid' },
  }),
});

export const mixnet: readonly Backbone[] = sizes.flatMap((size) => [variant(pytorch, size), variant(tensorflow, size)]);
