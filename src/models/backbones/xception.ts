import {
  activate,
  batchNorm,
  conv,
  depthwise,
  maxPool,
  normActivate,
  residual,
  type Context,
} from '../../graph/blocks.js';
import type { Value } from '../../graph/spec.js';
import { INCEPTION, pytorch, type Backbone, type Taps } from '../backbone.js';
import { linearHead } from './linearHead.js';

/** Chollet 2017 (arXiv:1610.02357), figure 5: channels of the separable convolutions of each block, stride. */
const blocks = [
  [[128, 128], 2],
  [[256, 256], 2],
  [[728, 728], 2],
  ...Array.from({ length: 8 }, () => [[728, 728, 728], 1] as const),
  [[728, 1024], 2],
] as const;
const none = [[0, 0], [0, 0]] as const; // prettier-ignore

const separable = (x: Value, path: string, at: Context, channels: number): Value =>
  conv(depthwise(x, `${path}.conv1`, at), `${path}.pointwise`, at, { channels });

/** Separable convolutions and, with a stride, a pooling, added to the input or its projection. The indices in the names
 *  count activations too; the first block does not begin with one. */
function block(x: Value, path: string, at: Context, widths: readonly number[], stride: number, first: boolean): Value {
  let y = x;
  for (const [i, channels] of widths.entries()) {
    const place = 3 * i + (first ? 0 : 1);
    const input = first && i === 0 ? y : activate(y, 'relu');
    y = batchNorm(separable(input, `${path}.rep.${place}`, at, channels), `${path}.rep.${place + 1}`, at);
  }
  if (stride === 1) return residual(y, x, at);
  const shortcut = batchNorm(conv(x, `${path}.skip`, at, { channels: y.shape[3]!, stride }), `${path}.skipbn`, at);
  return residual(maxPool(y, at, { kernel: 3, stride }), shortcut, at);
}

function features(image: Value, at: Context): Taps {
  const path = 'backbone';
  const stem = conv(image, `${path}.conv1`, at, { channels: 32, kernel: 3, stride: 2, padding: none });
  const wider = conv(normActivate(stem, `${path}.bn1`, at, 'relu'), `${path}.conv2`, at, {
    channels: 64,
    kernel: 3,
    padding: none,
  });
  const c1 = normActivate(wider, `${path}.bn2`, at, 'relu');
  let x = c1;
  const ends = blocks.map(([widths, stride], i) => {
    x = block(x, `${path}.block${i + 1}`, at, widths, stride, i === 0);
    return x;
  });
  x = normActivate(separable(x, `${path}.conv3`, at, 1536), `${path}.bn3`, at, 'relu');
  const c5 = normActivate(separable(x, `${path}.conv4`, at, 2048), `${path}.bn4`, at, 'relu');
  return { c1, c2: ends[0]!, c3: ends[1]!, c4: ends[10]!, c5 };
}

const stages = [
  ['conv1', 'bn1', 'conv2', 'bn2'],
  ['block1'],
  ['block2'],
  Array.from({ length: 9 }, (_, i) => `block${i + 3}`),
  ['block12', 'conv3', 'bn3', 'conv4', 'bn4'],
].map((names) => names.map((name) => `backbone.${name}`));

export const xception: readonly Backbone[] = [
  {
    name: 'legacy_xception', // timm's name of the paper's network
    style: pytorch,
    ...INCEPTION,
    resolution: 299,
    stages,
    source: 'arXiv:1610.02357',
    features,
    classifier: linearHead('fc'),
  },
];
