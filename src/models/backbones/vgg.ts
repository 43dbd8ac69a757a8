import { activate, batchNorm, conv, linear, maxPool, type Context } from '../../graph/blocks.js';
import type { Value } from '../../graph/spec.js';
import { IMAGENET, pytorch, type Backbone, type Classifier, type Taps } from '../backbone.js';
import { ceilPool } from './ceilPool.js';
import { adaptivePool, pooled } from './linearHead.js';

/** Simonyan & Zisserman 2015 (arXiv:1409.1556), table 1: channels of each group of 3×3 convolutions; a pooling follows
 *  each group. */
const CHANNELS = [64, 128, 256, 512, 512] as const;
const repeats = {
  11: [1, 1, 2, 2, 2],
  13: [2, 2, 2, 2, 2],
  16: [2, 2, 3, 3, 3],
  19: [2, 2, 4, 4, 4],
} as const;
type Depth = keyof typeof repeats;
const HIDDEN = 4096;

/** Visits the convolutions with their group and their index in torchvision's nn.Sequential, which counts activations
 *  and pools too. Returns the number of entries. */
function walk(depth: Depth, withNorm: boolean, visit: (group: number, index: number) => void): number {
  let index = 0;
  for (const [group, count] of repeats[depth].entries()) {
    for (let i = 0; i < count; i++, index += withNorm ? 3 : 2) visit(group, index);
    index++; // the pool
  }
  return index;
}

type Pool = (x: Value, at: Context) => Value;

const floorPool: Pool = (x, at) => maxPool(x, at, { kernel: 2, stride: 2 });

/** Caffe's: 75 → 38. */
const caffePool: Pool = (x) => ceilPool(x, 2);

interface VggLayers {
  readonly depth: Depth;
  readonly withNorm: boolean;
  readonly pool?: Pool;
}

/** Adds the convolutions one after another, and gives `visit` each one before (`linear`) and after its ReLU (`x`). The
 *  network ends where `visit` returns false. */
export function vggLayers(
  image: Value,
  at: Context,
  { depth, withNorm, pool = floorPool }: VggLayers,
  visit: (layer: {
    readonly group: number;
    readonly index: number;
    readonly linear: Value;
    readonly x: Value;
  }) => boolean,
): void {
  let x = image;
  let last = 0;
  let going = true;
  walk(depth, withNorm, (group, index) => {
    if (!going) return;
    if (group !== last) x = pool(x, at);
    last = group;
    x = conv(x, `backbone.features.${index}`, at, { channels: CHANNELS[group]!, kernel: 3, bias: true });
    const linear = withNorm ? batchNorm(x, `backbone.features.${index + 1}`, at) : x;
    x = activate(linear, 'relu');
    going = visit({ group, index, linear, x });
  });
}

const features =
  (depth: Depth, withNorm: boolean, pool: Pool) =>
  (image: Value, at: Context): Taps => {
    const ends: Value[] = [];
    vggLayers(image, at, { depth, withNorm, pool }, ({ group, x }) => {
      ends[group] = x;
      return true;
    });
    const [, c1, c2, c3, c4] = ends as [Value, Value, Value, Value, Value];
    return { c1, c2, c3, c4, c5: pool(c4, at) };
  };

/** Averages the last map to 7×7 as torchvision does, whatever the image's size is. The two wide layers are convolutions
 *  as in timm. */
const classifier: Classifier = ({ c5 }, at, classes) => {
  const none = [[0, 0], [0, 0]] as const; // prettier-ignore
  const map = adaptivePool(c5, 7);
  const first = conv(map, 'backbone.pre_logits.fc1', at, { channels: HIDDEN, kernel: 7, padding: none, bias: true });
  const second = conv(activate(first, 'relu'), 'backbone.pre_logits.fc2', at, { channels: HIDDEN, bias: true });
  return linear(pooled(activate(second, 'relu')), 'head.fc', at, { units: classes });
};

function stages(depth: Depth, withNorm: boolean): string[][] {
  const groups: string[][] = CHANNELS.map(() => []);
  walk(depth, withNorm, (group, index) => {
    groups[group]!.push(`backbone.features.${index}`, ...(withNorm ? [`backbone.features.${index + 1}`] : []));
  });
  return groups;
}

const depths: readonly Depth[] = [11, 13, 16, 19];
const variant = (depth: Depth, withNorm: boolean): Backbone => ({
  name: `vgg${depth}${withNorm ? '_bn' : ''}`,
  style: pytorch,
  ...IMAGENET,
  resolution: 224,
  stages: stages(depth, withNorm),
  source: 'arXiv:1409.1556',
  features: features(depth, withNorm, floorPool),
  classifier,
});

/** Pixels minus the mean, without scaling, as in torchvision's ssd300_vgg16. */
const CAFFE = { mean: [0.48235 * 255, 0.45882 * 255, 0.40784 * 255], std: [1, 1, 1] } as const;

export const vgg: readonly Backbone[] = [
  ...depths.flatMap((depth) => [false, true].map((withNorm) => variant(depth, withNorm))),
  /** The backbone of SSD, with the pooling and pre-processing of Caffe. */
  { ...variant(16, false), name: 'vgg16_caffe', ...CAFFE, features: features(16, false, caffePool) },
];
