import { activate, conv, linear, type Context } from '../../graph/blocks.js';
import { maxPool } from '../../graph/builder.js';
import type { Value } from '../../graph/spec.js';
import { IMAGENET, pytorch, type Backbone, type Classifier, type Taps } from '../backbone.js';
import { adaptivePool, pooled } from './linearHead.js';

/** Krizhevsky 2014 (arXiv:1404.5997) in the one-tower form of torchvision. Each layer: index in torchvision's
 *  nn.Sequential, channels, kernel. A max-pooling precedes every row but the first. */
const rows = [
  [[0, 64, 11]],
  [[3, 192, 5]],
  [[6, 384, 3], [8, 256, 3], [10, 256, 3]],
] as const; // prettier-ignore
const STEM_STRIDE = 4;
const STEM_PADDING = [[2, 2], [2, 2]] as const; // prettier-ignore
const HIDDEN = 4096;
const none = [[0, 0], [0, 0]] as const; // prettier-ignore

const shrink = (x: Value): Value => maxPool(x, { kernel: [3, 3], stride: 2, padding: none });

/** The first convolution has stride 4, so that there is no tap of stride 2 (c1). */
function features(image: Value, at: Context): Taps {
  let x = image;
  const [c2, c3, c4] = rows.map((layers, row) => {
    if (row > 0) x = shrink(x);
    for (const [place, channels, kernel] of layers) {
      const stem = row === 0 && { stride: STEM_STRIDE, padding: STEM_PADDING };
      const options = { channels, kernel, bias: true, ...stem };
      x = activate(conv(x, `backbone.features.${place}`, at, options), 'relu');
    }
    return x;
  }) as [Value, Value, Value];
  return { c2, c3, c4, c5: shrink(c4) };
}

/** Averages the last map to 6×6 as torchvision does, whatever the image's size is. The two wide layers are convolutions
 *  with the values of torchvision's matrices. */
const classifier: Classifier = ({ c5 }, at, classes) => {
  const path = 'backbone.classifier';
  const first = conv(adaptivePool(c5, 6), `${path}.1`, at, { channels: HIDDEN, kernel: 6, padding: none, bias: true });
  const second = conv(activate(first, 'relu'), `${path}.4`, at, { channels: HIDDEN, bias: true });
  return linear(pooled(activate(second, 'relu')), 'classifier.6', at, { units: classes });
};

export const alexnet: readonly Backbone[] = [
  {
    name: 'alexnet',
    style: pytorch,
    ...IMAGENET,
    resolution: 224,
    stages: rows.map((layers) => layers.map(([place]) => `backbone.features.${place}`)),
    source: 'arXiv:1404.5997',
    features,
    classifier,
  },
];
