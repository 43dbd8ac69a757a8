import { activate, batchNorm, conv, linear, maxPool, type Context } from '../../graph/blocks.js';
import type { Value } from '../../graph/spec.js';
import { IMAGENET, pytorch, type Backbone, type Classifier, type Taps } from '../backbone.js';
import { pooled } from './linearHead.js';

/** Simonyan & Zisserman 2015 (arXiv:1409.1556), table 1: channels of each group of 3×3 convolutions; a pool behind each group. */
const CHANNELS = [64, 128, 256, 512, 512] as const;
const repeats = {
  11: [1, 1, 2, 2, 2],
  13: [2, 2, 2, 2, 2],
  16: [2, 2, 3, 3, 3],
  19: [2, 2, 4, 4, 4],
} as const;
type Depth = keyof typeof repeats;
const HIDDEN = 4096;

/** Parameters count the layers, activations and pools included, as torchvision's nn.Sequential does. */
function walk(depth: Depth, withNorm: boolean, visit: (group: number, index: number) => void): number {
  let index = 0;
  for (const [group, count] of repeats[depth].entries()) {
    for (let i = 0; i < count; i++, index += withNorm ? 3 : 2) visit(group, index);
    index++; // the pool
  }
  return index;
}

/** The convolutions one after another. What `visit` is given of each before and after its ReLU it may keep; false ends the network there. */
export function vggLayers(
  image: Value,
  at: Context,
  { depth, withNorm }: { readonly depth: Depth; readonly withNorm: boolean },
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
    if (group !== last) x = maxPool(x, at, { kernel: 2, stride: 2 });
    last = group;
    x = conv(x, `backbone.features.${index}`, at, { channels: CHANNELS[group]!, kernel: 3, bias: true });
    const linear = withNorm ? batchNorm(x, `backbone.features.${index + 1}`, at) : x;
    x = activate(linear, 'relu');
    going = visit({ group, index, linear, x });
  });
}

const features =
  (depth: Depth, withNorm: boolean) =>
  (image: Value, at: Context): Taps => {
    const ends: Value[] = [];
    vggLayers(image, at, { depth, withNorm }, ({ group, x }) => {
      ends[group] = x;
      return true;
    });
    const [, c1, c2, c3, c4] = ends as [Value, Value, Value, Value, Value];
    return { c1, c2, c3, c4, c5: maxPool(c4, at, { kernel: 2, stride: 2 }) };
  };

/** The two wide layers as convolutions, the first over 7×7, so that larger images work too; as timm has it. */
const classifier: Classifier = ({ c5 }, at, classes) => {
  const none = [[0, 0], [0, 0]] as const; // prettier-ignore
  const first = conv(c5, 'backbone.pre_logits.fc1', at, { channels: HIDDEN, kernel: 7, padding: none, bias: true });
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
export const vgg: readonly Backbone[] = depths.flatMap((depth) =>
  [false, true].map((withNorm) => ({
    name: `vgg${depth}${withNorm ? '_bn' : ''}`,
    style: pytorch,
    ...IMAGENET,
    resolution: 224,
    stages: stages(depth, withNorm),
    source: 'arXiv:1409.1556',
    features: features(depth, withNorm),
    classifier,
  })),
);
