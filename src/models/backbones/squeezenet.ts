import { activate, conv, type Context } from '../../graph/blocks.js';
import { concat } from '../../graph/builder.js';
import type { Value } from '../../graph/spec.js';
import { IMAGENET, pytorch, type Backbone, type Classifier, type Taps } from '../backbone.js';
import { ceilPool } from './ceilPool.js';
import { pooled } from './linearHead.js';

type Fire = readonly [squeeze: number, expand: number];
interface Variant {
  readonly stem: number;
  readonly kernel: number;
  /** Fire modules at strides 4, 8 and 16; a pooling precedes each group. */
  readonly fires: readonly [readonly Fire[], readonly Fire[], readonly Fire[]];
}

/** Iandola et al. 2016 (arXiv:1602.07360), table 1; 1.1 is the authors' later version, which pools earlier. */
const variants: readonly (readonly [name: string, variant: Variant])[] = [
  ['squeezenet1_0', { stem: 96, kernel: 7, fires: [[[16, 64], [16, 64], [32, 128]], [[32, 128], [48, 192], [48, 192], [64, 256]], [[64, 256]]] }],
  ['squeezenet1_1', { stem: 64, kernel: 3, fires: [[[16, 64], [16, 64]], [[32, 128], [32, 128]], [[48, 192], [48, 192], [64, 256], [64, 256]]] }],
]; // prettier-ignore

const none = [[0, 0], [0, 0]] as const; // prettier-ignore

function fire(x: Value, path: string, at: Context, [squeeze, expand]: Fire): Value {
  const layer = (x: Value, name: string, channels: number, kernel: number): Value =>
    activate(conv(x, `${path}.${name}`, at, { channels, kernel, bias: true }), 'relu');
  const narrow = layer(x, 'squeeze', squeeze, 1);
  return concat([layer(narrow, 'expand1x1', expand, 1), layer(narrow, 'expand3x3', expand, 3)], 3);
}

/** The layers are named by their index in torchvision's nn.Sequential: the stem is 0 and its activation 1, then come
 *  pools and fire modules. */
function walk({ fires }: Variant): number[][] {
  let index = 2;
  return fires.map((group) => {
    index++; // the pool
    return group.map(() => index++);
  });
}

const features =
  (variant: Variant) =>
  (image: Value, at: Context): Taps => {
    const path = 'backbone.features';
    const { stem, kernel, fires } = variant;
    const front = conv(image, `${path}.0`, at, { channels: stem, kernel, stride: 2, padding: none, bias: true });
    const c1 = activate(front, 'relu');
    const places = walk(variant);
    let x = c1;
    const [c2, c3, c4] = fires.map((group, i) => {
      x = ceilPool(x, 3);
      for (const [j, row] of group.entries()) x = fire(x, `${path}.${places[i]![j]!}`, at, row);
      return x;
    }) as [Value, Value, Value];
    return { c1, c2, c3, c4, c5: ceilPool(c4, 3) };
  };

/** Each class has a map of stride 16, and the mean of the map is its logit. */
const classifier: Classifier = ({ c4 }, at, classes) =>
  pooled(activate(conv(c4, 'classifier.1', at, { channels: classes, bias: true }), 'relu'));

export const squeezenet: readonly Backbone[] = variants.map(([name, variant]) => ({
  name,
  style: pytorch,
  ...IMAGENET,
  resolution: 224,
  stages: [[0], ...walk(variant)].map((group) => group.map((index) => `backbone.features.${index}`)),
  source: 'arXiv:1602.07360',
  features: features(variant),
  classifier,
}));
