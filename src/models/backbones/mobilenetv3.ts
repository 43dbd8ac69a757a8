import type { Style } from '../../graph/blocks.js';
import { IMAGENET, INCEPTION, pytorch, tensorflow, type Backbone } from '../backbone.js';
import { divisible } from './divisible.js';
import type { RowOptions } from './mobileBlocks.js';
import { mobileNetwork, scaleTable, type Table } from './mobileNetwork.js';

const relu: RowOptions = { activation: 'relu' };
const k5: RowOptions = { kernel: 5 };
const se: RowOptions = { se: 0.25 };

/** Howard et al. 2019 (arXiv:1905.02244), table 1: expansion, channels, repeats, stride. The activation is hard-swish
 *  unless a row has another one. */
const large: Table = [
  [['ds', 1, 16, 1, 1, relu]],
  [['ir', 4, 24, 1, 2, relu], ['ir', 3, 24, 1, 1, relu]],
  [['ir', 3, 40, 3, 2, { ...k5, ...se, ...relu }]],
  [['ir', 6, 80, 1, 2], ['ir', 2.5, 80, 1, 1], ['ir', 2.3, 80, 2, 1]],
  [['ir', 6, 112, 2, 1, se]],
  [['ir', 6, 160, 3, 2, { ...k5, ...se }]],
  [['cn', 1, 960, 1, 1]],
]; // prettier-ignore

/** Table 2 of the same paper. */
const small: Table = [
  [['ds', 1, 16, 1, 2, { ...se, ...relu }]],
  [['ir', 4.5, 24, 1, 2, relu], ['ir', 3.67, 24, 1, 1, relu]],
  [['ir', 4, 40, 1, 2, { ...k5, ...se }], ['ir', 6, 40, 2, 1, { ...k5, ...se }]],
  [['ir', 3, 48, 2, 1, { ...k5, ...se }]],
  [['ir', 6, 96, 3, 2, { ...k5, ...se }]],
  [['cn', 1, 576, 1, 1]],
]; // prettier-ignore

/** torchvision's `reduced_tail`, for detection: the last stage and the convolution after it have half the channels
 *  (section 6.3). */
const reduced: Table = [
  ...large.slice(0, 5),
  [['ir', 6, 80, 3, 2, { ...k5, ...se }]],
  [['cn', 1, 480, 1, 1]],
]; // prettier-ignore
/** Padding and BatchNorm with which torchvision trained its SSDLite:
 *  https://github.com/pytorch/vision/blob/main/torchvision/models/detection/ssdlite.py. */
const reducedStyle: Style = { padding: 'symmetric', epsilon: 1e-3, momentum: 0.03 };

const sizes = {
  large: { table: large, head: 1280 },
  small: { table: small, head: 1024 },
  large_reduced: { table: reduced, head: 640 },
} as const;
const STEM = 16;

const variant = (size: keyof typeof sizes, width: number, style: Style): Backbone => {
  const { table, head } = sizes[size];
  return {
    name: `${style === tensorflow ? 'tf_' : ''}mobilenetv3_${size}_${String(width * 100).padStart(3, '0')}`,
    style,
    ...(style.epsilon === tensorflow.epsilon ? INCEPTION : IMAGENET),
    resolution: 224,
    source: 'arXiv:1905.02244',
    ...mobileNetwork({
      stem: width < 0.75 ? STEM : divisible(STEM * width),
      table: scaleTable(table, { width }),
      head,
      headPooled: true,
      activation: 'hardSwish',
      se: { of: 'expanded', gate: 'hardSigmoid', activation: 'relu' },
    }),
  };
};

export const mobilenetv3: readonly Backbone[] = [
  variant('large', 1, pytorch),
  variant('large', 0.75, pytorch),
  variant('large', 1, tensorflow),
  variant('large', 0.75, tensorflow),
  variant('large_reduced', 1, reducedStyle),
  variant('small', 1, pytorch),
  variant('small', 0.75, pytorch),
  variant('small', 0.5, pytorch),
  variant('small', 1, tensorflow),
  variant('small', 0.75, tensorflow),
];
