import { IMAGENET, pytorch, type Backbone } from '../backbone.js';
import { divisible } from './divisible.js';
import type { RowOptions } from './mobileBlocks.js';
import { mobileNetwork, scaleTable, type Table } from './mobileNetwork.js';

const k5: RowOptions = { kernel: 5 };
const se: RowOptions = { se: 0.25 };
const plain: RowOptions = { skip: false };

/** Tan et al. 2019 (arXiv:1807.11626), figure 7: expansion, channels, repeats, stride. */
const a1: Table = [
  [['ds', 1, 16, 1, 1, plain]],
  [['ir', 6, 24, 2, 2]],
  [['ir', 3, 40, 3, 2, { ...k5, ...se }]],
  [['ir', 6, 80, 4, 2]],
  [['ir', 6, 112, 2, 1, se]],
  [['ir', 6, 160, 3, 2, { ...k5, ...se }]],
  [['ir', 6, 320, 1, 1]],
];

/** The one without squeeze-excite: the authors' code, tensorflow/tpu, mnasnet_models.py, `mnasnet_b1`. */
const b1: Table = [
  [['ds', 1, 16, 1, 1, plain]],
  [['ir', 3, 24, 3, 2]],
  [['ir', 3, 40, 3, 2, k5]],
  [['ir', 6, 80, 3, 2, k5]],
  [['ir', 6, 96, 2, 1]],
  [['ir', 6, 192, 4, 2, k5]],
  [['ir', 6, 320, 1, 1, plain]],
];

/** Stamoulis et al. 2019 (arXiv:1904.02877), the same space searched in one path: spnasnet. */
const singlePath: Table = [
  [['ds', 1, 16, 1, 1, plain]],
  [['ir', 3, 24, 3, 2]],
  [['ir', 6, 40, 1, 2, k5], ['ir', 3, 40, 3, 1]],
  [['ir', 6, 80, 1, 2, k5], ['ir', 3, 80, 3, 1]],
  [['ir', 6, 96, 1, 1, k5], ['ir', 3, 96, 3, 1, k5]],
  [['ir', 6, 192, 4, 2, k5]],
  [['ir', 6, 320, 1, 1, plain]],
]; // prettier-ignore

const STEM = 32;
const HEAD = 1280;

const variant = (name: string, table: Table, width = 1): Backbone => ({
  name: `${name}_${String(width * 100).padStart(3, '0')}`,
  style: pytorch,
  ...IMAGENET,
  resolution: 224,
  source: 'arXiv:1807.11626',
  ...mobileNetwork({
    stem: divisible(STEM * width),
    table: scaleTable(table, { width }),
    head: HEAD,
    activation: 'relu',
    se: { of: 'input', gate: 'sigmoid' },
  }),
});

/** timm calls A1 semnasnet and B1 mnasnet. */
export const mnasnet: readonly Backbone[] = [
  ...[0.75, 1, 1.4].map((width) => variant('semnasnet', a1, width)),
  ...[0.5, 0.75, 1, 1.4].map((width) => variant('mnasnet', b1, width)),
  variant('spnasnet', singlePath),
];
