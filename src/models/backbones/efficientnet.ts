import type { Style } from '../../graph/blocks.js';
import { IMAGENET, INCEPTION, pytorch, tensorflow, type Backbone } from '../backbone.js';
import { divisible } from './divisible.js';
import type { RowOptions } from './mobileBlocks.js';
import { mobileNetwork, scaleTable, type Table } from './mobileNetwork.js';

/** Tan & Le 2019 (arXiv:1905.11946), table 1: expansion, channels, repeats, stride, kernel. */
const rows = [
  ['ds', 1, 16, 1, 1, 3],
  ['ir', 6, 24, 2, 2, 3],
  ['ir', 6, 40, 2, 2, 5],
  ['ir', 6, 80, 3, 2, 3],
  ['ir', 6, 112, 3, 1, 5],
  ['ir', 6, 192, 4, 2, 5],
  ['ir', 6, 320, 1, 1, 3],
] as const;
const STEM = 32;
const HEAD = 1280;

const tableWith = (options: RowOptions): Table =>
  rows.map(([block, expansion, channels, repeats, stride, kernel]) => [
    [block, expansion, channels, repeats, stride, { kernel, ...options }],
  ]);

/** Width, depth and resolution of the authors' code, efficientnet_builder.py; then timm's resolution and statistics. */
const scales = [
  ['b0', 1.0, 1.0, 224, 224, IMAGENET],
  ['b1', 1.0, 1.1, 240, 240, INCEPTION],
  ['b2', 1.1, 1.2, 260, 256, IMAGENET],
  ['b3', 1.2, 1.4, 300, 288, IMAGENET],
  ['b4', 1.4, 1.8, 380, 320, IMAGENET],
] as const;

const scaled = (style: Style, [size, width, depth, paper, timm, statistics]: (typeof scales)[number]): Backbone => ({
  name: `${style === tensorflow ? 'tf_' : ''}efficientnet_${size}`,
  style,
  ...(style === tensorflow ? IMAGENET : statistics),
  resolution: style === tensorflow ? paper : timm,
  source: 'arXiv:1905.11946',
  ...mobileNetwork({
    stem: divisible(STEM * width),
    table: scaleTable(tableWith({ se: 0.25 }), { width, depth }),
    head: divisible(HEAD * width),
    activation: 'swish',
    se: { of: 'input', gate: 'sigmoid' },
  }),
});

/** The Lite variants have ReLU6 and no squeeze-excite; scaling changes neither stem and head nor the depth of the first
 *  and the last stage. Source: tensorflow/tpu, efficientnet/lite. The resolutions are those that timm evaluates at; the
 *  authors have 280 and 300 for the last two. */
const liteScales = [
  ['lite0', 1.0, 1.0, 224],
  ['lite1', 1.0, 1.1, 240],
  ['lite2', 1.1, 1.2, 260],
  ['lite3', 1.2, 1.4, 300],
  ['lite4', 1.4, 1.8, 380],
] as const;

const lite = (style: Style, [size, width, depth, resolution]: (typeof liteScales)[number]): Backbone => ({
  name: `${style === tensorflow ? 'tf_' : ''}efficientnet_${size}`,
  style,
  ...(style === tensorflow ? INCEPTION : IMAGENET),
  resolution,
  source: 'https://github.com/tensorflow/tpu/tree/master/models/official/efficientnet/lite',
  ...mobileNetwork({
    stem: STEM,
    table: scaleTable(tableWith({}), { width, depth, fixedDepth: true }),
    head: HEAD,
    activation: 'relu6',
    se: { of: 'input', gate: 'sigmoid' },
  }),
});

/** torchvision's B1, and timm's first one: ImageNet's statistics, where timm's newer weights have pixels from −1 to 1. */
const torchvisionB1 = { ...scaled(pytorch, scales[1]), name: 'tv_efficientnet_b1', ...IMAGENET };

export const efficientnet: readonly Backbone[] = [
  ...scales.flatMap((scale) => [scaled(pytorch, scale), scaled(tensorflow, scale)]),
  torchvisionB1,
  ...liteScales.flatMap((scale) => [lite(pytorch, scale), lite(tensorflow, scale)]),
];
