import { conv, normActivate, type Context } from '../../graph/blocks.js';
import { concat, maxPool } from '../../graph/builder.js';
import type { Value } from '../../graph/spec.js';
import { INCEPTION, pytorch, type Backbone, type Taps } from '../backbone.js';
import { ceilPool } from './ceilPool.js';
import { linearHead } from './linearHead.js';

/** Channels of a module: 1×1; 1×1 and 3×3; 1×1 and 5×5; 1×1 after the pooling. */
type Module = readonly [
  name: string,
  single: number,
  three: readonly [number, number],
  five: readonly [number, number],
  pool: number,
];

/** Szegedy et al. 2015 (arXiv:1409.4842), table 1, by strides 8, 16 and 32. */
const modules: readonly (readonly Module[])[] = [
  [['3a', 64, [96, 128], [16, 32], 32], ['3b', 128, [128, 192], [32, 96], 64]],
  [['4a', 192, [96, 208], [16, 48], 64], ['4b', 160, [112, 224], [24, 64], 64], ['4c', 128, [128, 256], [24, 64], 64], ['4d', 112, [144, 288], [32, 64], 64], ['4e', 256, [160, 320], [32, 128], 128]],
  [['5a', 256, [160, 320], [32, 128], 128], ['5b', 384, [192, 384], [48, 128], 128]],
]; // prettier-ignore

/** Kernels of the pooling before each group of modules. */
const POOLS = [3, 3, 2] as const;

const once = { kernel: [3, 3], stride: 1, padding: [[1, 1], [1, 1]] } as const; // prettier-ignore

function layer(x: Value, path: string, at: Context, channels: number, kernel = 1, stride = 1): Value {
  return normActivate(conv(x, `${path}.conv`, at, { channels, kernel, stride }), `${path}.bn`, at, 'relu');
}

/** The branch of the paper's 5×5 convolution has a 3×3 one in torchvision, whose weights these are for. */
function module(x: Value, at: Context, [name, single, three, five, pool]: Module): Value {
  const path = `backbone.inception${name}`;
  const pair = (branch: string, [narrow, wide]: readonly [number, number]): Value =>
    layer(layer(x, `${path}.${branch}.0`, at, narrow), `${path}.${branch}.1`, at, wide, 3);
  const pooled = layer(maxPool(x, once), `${path}.branch4.1`, at, pool);
  return concat([layer(x, `${path}.branch1`, at, single), pair('branch2', three), pair('branch3', five), pooled], 3);
}

function features(image: Value, at: Context): Taps {
  const c1 = layer(image, 'backbone.conv1', at, 64, 7, 2);
  const c2 = layer(layer(ceilPool(c1, 3), 'backbone.conv2', at, 64), 'backbone.conv3', at, 192, 3);
  let x = c2;
  const [c3, c4, c5] = modules.map((group, i) => {
    x = group.reduce((value, one) => module(value, at, one), ceilPool(x, POOLS[i]!));
    return x;
  }) as [Value, Value, Value];
  return { c1, c2, c3, c4, c5 };
}

/** The auxiliary classifiers are left out: they serve only the original training. */
export const googlenet: readonly Backbone[] = [
  {
    name: 'googlenet',
    style: { ...pytorch, epsilon: 1e-3 },
    ...INCEPTION,
    resolution: 224,
    stages: [['conv1'], ['conv2', 'conv3'], ...modules.map((group) => group.map(([name]) => `inception${name}`))].map(
      (names) => names.map((name) => `backbone.${name}`),
    ),
    source: 'arXiv:1409.4842',
    features,
    classifier: linearHead('fc'),
  },
];
