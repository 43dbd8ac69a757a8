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

/** The paper gives A2's accuracy and budget (4.8 M parameters, 0.34 G MACs), but neither it nor its code gives a table.
 *  This reconstruction uses A1's operators. 0.9 M more parameters for 0.03 G more MACs must lie where the feature maps
 *  are small: the 160 channels at 7×7 have five blocks instead of three (+0.82 M, +0.03 G), and the 80 channels have
 *  squeeze-excite (+0.08 M, hardly any MACs). */
const a2: Table = [
  ...a1.slice(0, 3),
  [['ir', 6, 80, 4, 2, se]],
  [['ir', 6, 112, 2, 1, se]],
  [['ir', 6, 160, 5, 2, { ...k5, ...se }]],
  [['ir', 6, 320, 1, 1]],
];

/** B1, the variant without squeeze-excite, from the authors' code: tensorflow/tpu, mnasnet_models.py, `mnasnet_b1`. */
const b1: Table = [
  [['ds', 1, 16, 1, 1, plain]],
  [['ir', 3, 24, 3, 2]],
  [['ir', 3, 40, 3, 2, k5]],
  [['ir', 6, 80, 3, 2, k5]],
  [['ir', 6, 96, 2, 1]],
  [['ir', 6, 192, 4, 2, k5]],
  [['ir', 6, 320, 1, 1, plain]],
];

/** Stamoulis et al. 2019 (arXiv:1904.02877): spnasnet, which a single-path search found in the same space. */
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
  name,
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

const percent = (width: number): string => String(width * 100).padStart(3, '0');

/** timm calls A1 semnasnet and B1 mnasnet. */
export const mnasnet: readonly Backbone[] = [
  ...[0.75, 1, 1.4].map((width) => variant(`semnasnet_${percent(width)}`, a1, width)),
  variant('mnasnet_a2_reconstruction', a2),
  ...[0.5, 0.75, 1, 1.4].map((width) => variant(`mnasnet_${percent(width)}`, b1, width)),
  variant('spnasnet_100', singlePath),
];
