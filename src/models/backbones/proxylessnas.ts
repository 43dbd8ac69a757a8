import { IMAGENET, pytorch, type Backbone } from '../backbone.js';
import type { Row } from './mobileBlocks.js';
import { mobileNetwork, type Table } from './mobileNetwork.js';

/** A stage of the paper: expansion and channels, stride and kernel of the first block, kernels of the other blocks. */
const stage = (expansion: number, channels: number, stride: number, first: number, ...kernels: number[]): Row[] => [
  ['ir', expansion, channels, 1, stride, { kernel: first }],
  ...kernels.map((kernel): Row => ['ir', 3, channels, 1, 1, { kernel }]),
];
const with6 = (channels: number, ...kernels: number[]): Row[] =>
  kernels.map((kernel): Row => ['ir', 6, channels, 1, 1, { kernel }]);

/** Cai et al. 2019 (arXiv:1812.00332), figure 4, and the authors' released configurations. Neither timm nor torchvision
 *  has these models; pytorchcv does. The names of the parameters are timm's for this family. */
const mobile: Table = [
  [['ds', 1, 16, 1, 1, { skip: false }]],
  stage(3, 32, 2, 5, 3),
  stage(3, 40, 2, 7, 3, 5, 5),
  stage(6, 80, 2, 7, 5, 5, 5),
  stage(6, 96, 1, 5, 5, 5, 5),
  [...stage(6, 192, 2, 7), ...with6(192, 7), ['ir', 3, 192, 2, 1, { kernel: 7 }]],
  [['ir', 6, 320, 1, 1, { kernel: 7 }]],
];
const gpu: Table = [
  [['ds', 1, 24, 1, 1, { skip: false }]],
  stage(3, 32, 2, 5),
  stage(3, 56, 2, 7, 3),
  stage(6, 112, 2, 7, 5),
  stage(6, 128, 1, 5, 3, 5),
  [...stage(6, 256, 2, 7), ...with6(256, 7, 7, 5)],
  [['ir', 6, 432, 1, 1, { kernel: 7 }]],
];

const cpu: Table = [
  [['ds', 1, 24, 1, 1, { skip: false }]],
  stage(6, 32, 2, 3, 3, 3, 3),
  stage(6, 48, 2, 3, 3, 3, 5),
  stage(6, 88, 2, 3, 3),
  stage(6, 104, 1, 5, 3, 3, 3),
  stage(6, 216, 2, 5, 5, 5, 3),
  [['ir', 6, 360, 1, 1, { kernel: 5 }]],
];

const variants = [
  ['mobile', mobile, 32, 1280],
  ['gpu', gpu, 40, 1728],
  ['cpu', cpu, 40, 1432],
] as const;

export const proxylessnas: readonly Backbone[] = variants.map(([name, table, stem, head]) => ({
  name: `proxylessnas_${name}`,
  style: { ...pytorch, epsilon: 1e-3 },
  ...IMAGENET,
  resolution: 224,
  source: 'arXiv:1812.00332',
  ...mobileNetwork({ stem, table, head, activation: 'relu6', se: { of: 'input', gate: 'sigmoid' } }),
}));
