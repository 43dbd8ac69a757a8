import { IMAGENET, pytorch, type Backbone } from '../backbone.js';
import type { RowOptions } from './mobileBlocks.js';
import { mobileNetwork, type Table } from './mobileNetwork.js';

const k5: RowOptions = { kernel: 5 };

/** Wu et al. 2019 (arXiv:1812.03443), figure 4, FBNet-C: expansion, channels, repeats, stride. */
const c: Table = [
  [['ir', 1, 16, 1, 1]],
  [['ir', 6, 24, 1, 2], ['ir', 1, 24, 2, 1]],
  [['ir', 6, 32, 1, 2, k5], ['ir', 3, 32, 1, 1, k5], ['ir', 6, 32, 1, 1, k5], ['ir', 6, 32, 1, 1]],
  [['ir', 6, 64, 1, 2, k5], ['ir', 3, 64, 1, 1, k5], ['ir', 6, 64, 2, 1, k5]],
  [['ir', 6, 112, 3, 1, k5], ['ir', 3, 112, 1, 1, k5]],
  [['ir', 6, 184, 4, 2, k5]],
  [['ir', 6, 352, 1, 1]],
]; // prettier-ignore

export const fbnet: readonly Backbone[] = [
  {
    name: 'fbnetc_100',
    style: { ...pytorch, epsilon: 1e-3 }, // as the published weights were trained
    ...IMAGENET,
    resolution: 224,
    source: 'arXiv:1812.03443',
    ...mobileNetwork({ stem: 16, table: c, head: 1984, activation: 'relu', se: { of: 'input', gate: 'sigmoid' } }),
  },
];
