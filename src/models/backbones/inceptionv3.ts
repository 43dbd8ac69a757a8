import { averagePool, conv, normActivate, type Context } from '../../graph/blocks.js';
import { concat, maxPool, pad } from '../../graph/builder.js';
import type { Value } from '../../graph/spec.js';
import { INCEPTION, pytorch, type Backbone, type Taps } from '../backbone.js';
import { linearHead } from './linearHead.js';

const none = [[0, 0], [0, 0]] as const; // prettier-ignore

interface Layer {
  readonly kernel?: number | readonly [number, number];
  readonly stride?: number;
  /** Whether the layer has no padding. */
  readonly valid?: boolean;
}
const k3: Layer = { kernel: 3 };
const reduce: Layer = { kernel: 3, stride: 2, valid: true };
const row7: Layer = { kernel: [1, 7] };
const column7: Layer = { kernel: [7, 1] };
const row3: Layer = { kernel: [1, 3] };
const column3: Layer = { kernel: [3, 1] };

function layer(x: Value, path: string, at: Context, channels: number, { valid, ...options }: Layer = {}): Value {
  const y = conv(x, `${path}.conv`, at, { channels, ...options, ...(valid && { padding: none }) });
  return normActivate(y, `${path}.bn`, at, 'relu');
}

/** One module: applies layers, which it names, to its input x. */
type Module = (x: Value, apply: (x: Value, name: string, channels: number, options?: Layer) => Value) => Value;

const averaged = (x: Value): Value => averagePool(pad(x, [[0, 0], [1, 1], [1, 1], [0, 0]]), { kernel: 3, stride: 1 }); // prettier-ignore
const shrunk = (x: Value): Value => maxPool(x, { kernel: [3, 3], stride: 2, padding: none });

/** Szegedy et al. 2016 (arXiv:1512.00567), figures 5, 6, 7 and 10, with the widths of torchvision's inception.py: a
 *  (35×35), b (to 17×17), c (17×17), d (to 8×8), e (8×8). */
const a =
  (pool: number): Module =>
  (x, apply) =>
    concat([
      apply(x, 'branch1x1', 64),
      apply(apply(x, 'branch5x5_1', 48), 'branch5x5_2', 64, { kernel: 5 }),
      apply(apply(apply(x, 'branch3x3dbl_1', 64), 'branch3x3dbl_2', 96, k3), 'branch3x3dbl_3', 96, k3),
      apply(averaged(x), 'branch_pool', pool),
    ], 3); // prettier-ignore

const b: Module = (x, apply) =>
  concat([
    apply(x, 'branch3x3', 384, reduce),
    apply(apply(apply(x, 'branch3x3dbl_1', 64), 'branch3x3dbl_2', 96, k3), 'branch3x3dbl_3', 96, reduce),
    shrunk(x),
  ], 3); // prettier-ignore

const c =
  (width: number): Module =>
  (x, apply) => {
    const single = apply(apply(x, 'branch7x7_1', width), 'branch7x7_2', width, row7);
    const double = apply(apply(x, 'branch7x7dbl_1', width), 'branch7x7dbl_2', width, column7);
    const again = apply(apply(double, 'branch7x7dbl_3', width, row7), 'branch7x7dbl_4', width, column7);
    return concat([
      apply(x, 'branch1x1', 192),
      apply(single, 'branch7x7_3', 192, column7),
      apply(again, 'branch7x7dbl_5', 192, row7),
      apply(averaged(x), 'branch_pool', 192),
    ], 3); // prettier-ignore
  };

const d: Module = (x, apply) => {
  const wide = apply(apply(x, 'branch7x7x3_1', 192), 'branch7x7x3_2', 192, row7);
  return concat([
    apply(apply(x, 'branch3x3_1', 192), 'branch3x3_2', 320, reduce),
    apply(apply(wide, 'branch7x7x3_3', 192, column7), 'branch7x7x3_4', 192, reduce),
    shrunk(x),
  ], 3); // prettier-ignore
};

const e: Module = (x, apply) => {
  const single = apply(x, 'branch3x3_1', 384);
  const double = apply(apply(x, 'branch3x3dbl_1', 448), 'branch3x3dbl_2', 384, k3);
  return concat([
    apply(x, 'branch1x1', 320),
    apply(single, 'branch3x3_2a', 384, row3), apply(single, 'branch3x3_2b', 384, column3),
    apply(double, 'branch3x3dbl_3a', 384, row3), apply(double, 'branch3x3dbl_3b', 384, column3),
    apply(averaged(x), 'branch_pool', 192),
  ], 3); // prettier-ignore
};

const modules: readonly (readonly (readonly [name: string, module: Module])[])[] = [
  [['Mixed_5b', a(32)], ['Mixed_5c', a(64)], ['Mixed_5d', a(64)]],
  [['Mixed_6a', b], ['Mixed_6b', c(128)], ['Mixed_6c', c(160)], ['Mixed_6d', c(160)], ['Mixed_6e', c(192)]],
  [['Mixed_7a', d], ['Mixed_7b', e], ['Mixed_7c', e]],
]; // prettier-ignore

function features(image: Value, at: Context): Taps {
  const path = 'backbone';
  let x = layer(image, `${path}.Conv2d_1a_3x3`, at, 32, reduce);
  x = layer(x, `${path}.Conv2d_2a_3x3`, at, 32, { kernel: 3, valid: true });
  const c1 = layer(x, `${path}.Conv2d_2b_3x3`, at, 64, k3);
  x = layer(shrunk(c1), `${path}.Conv2d_3b_1x1`, at, 80);
  const c2 = layer(x, `${path}.Conv2d_4a_3x3`, at, 192, { kernel: 3, valid: true });
  x = shrunk(c2);
  const [c3, c4, c5] = modules.map((group) => {
    for (const [name, module] of group)
      x = module(x, (y, inner, channels, options) => layer(y, `${path}.${name}.${inner}`, at, channels, options));
    return x;
  }) as [Value, Value, Value];
  return { c1, c2, c3, c4, c5 };
}

const stem = ['Conv2d_1a_3x3', 'Conv2d_2a_3x3', 'Conv2d_2b_3x3', 'Conv2d_3b_1x1', 'Conv2d_4a_3x3'];

/** The auxiliary classifier is left out: it serves only the original training. */
export const inceptionv3: readonly Backbone[] = [
  {
    name: 'inception_v3',
    style: { ...pytorch, epsilon: 1e-3 },
    ...INCEPTION,
    resolution: 299,
    stages: [stem, ...modules.map((group) => group.map(([name]) => name))].map((names) =>
      names.map((name) => `backbone.${name}`),
    ),
    source: 'arXiv:1512.00567',
    features,
    classifier: linearHead('fc'),
  },
];
