import { conv, maxPool, normActivate, type Context } from '../../graph/blocks.js';
import { add, concat, globalAveragePool, reshape, slice } from '../../graph/builder.js';
import type { Value } from '../../graph/spec.js';
import { IMAGENET, pytorch, type Backbone, type Classifier, type Rgb, type Taps } from '../backbone.js';

interface Variant {
  /** Channels of the first convolution. */
  readonly stem: number;
  /** DPN-68 and 68b have a 3×3 stem and a residual path a quarter as wide. */
  readonly small?: boolean;
  /** Channels inside a block of the first stage; each stage doubles them. */
  readonly width: number;
  readonly groups: number;
  readonly depths: readonly [number, number, number, number];
  /** Channels that a block appends to the dense path, for each stage. */
  readonly growth: readonly [number, number, number, number];
  /** In DPN-68b two convolutions after one BatchNorm compute the two paths. */
  readonly apart?: boolean;
}

/** Chen et al. 2017 (arXiv:1707.01629), table 1. DPN-68 and 68b follow the authors' code, github.com/cypw/DPNs. */
const small = {
  stem: 10,
  small: true,
  width: 128,
  groups: 32,
  depths: [3, 4, 12, 3],
  growth: [16, 32, 32, 64],
} as const;
const dpn92 = { stem: 64, width: 96, groups: 32, depths: [3, 4, 20, 3], growth: [16, 32, 24, 128] } as const;
const dpn98 = { stem: 96, width: 160, groups: 40, depths: [3, 6, 20, 3], growth: [16, 32, 32, 128] } as const;
const dpn131 = { stem: 128, width: 160, groups: 40, depths: [4, 8, 28, 3], growth: [16, 32, 32, 128] } as const;
const dpn107 = { stem: 128, width: 200, groups: 50, depths: [4, 8, 20, 3], growth: [20, 64, 64, 128] } as const; // prettier-ignore
/** Channels of the residual path in the first stage of small and of large variants; each stage doubles them. */
const RESIDUAL = { small: 64, large: 256 } as const;

/** BatchNorm and ReLU come before each convolution. */
const layer = (x: Value, path: string, at: Context, options: Parameters<typeof conv>[3]): Value =>
  conv(normActivate(x, `${path}.bn`, at, 'relu'), `${path}.conv`, at, options);

interface Block extends Pick<Variant, 'groups' | 'apart'> {
  readonly inner: number;
  readonly residual: number;
  readonly growth: number;
  /** Stride of the first block of a stage, which projects its input; undefined for the other blocks. */
  readonly projects?: 1 | 2;
}

/** x has the residual path in its first channels and the dense path in the rest. A block adds to the residual path and
 *  appends channels to the dense path. */
function block(x: Value, path: string, at: Context, options: Block): Value {
  const { inner, residual, growth, groups, apart, projects: stride } = options;
  const split = (y: Value): [Value, Value] => {
    const [n, h, w, channels] = y.shape as [number, number, number, number];
    return [slice(y, [0, 0, 0, 0], [n, h, w, residual]), slice(y, [0, 0, 0, residual], [n, h, w, channels - residual])];
  };
  const wide = { channels: residual + 2 * growth, ...(stride && { stride }) };
  const [sum, dense] = split(stride ? layer(x, `${path}.c1x1_w_s${stride}`, at, wide) : x);
  const narrow = layer(x, `${path}.c1x1_a`, at, { channels: inner });
  const spatial = layer(narrow, `${path}.c3x3_b`, at, { channels: inner, kernel: 3, stride: stride ?? 1, groups });
  const last = `${path}.c1x1_c`;
  if (!apart) {
    const [more, added] = split(layer(spatial, last, at, { channels: residual + growth }));
    return concat([add(sum, more), dense, added], 3);
  }
  const shared = normActivate(spatial, `${last}.bn`, at, 'relu');
  const more = conv(shared, `${last}1`, at, { channels: residual });
  return concat([add(sum, more), dense, conv(shared, `${last}2`, at, { channels: growth })], 3);
}

const features =
  ({ stem, small: isSmall = false, width, depths, growth, ...rest }: Variant) =>
  (image: Value, at: Context): Taps => {
    const path = 'backbone.features';
    const kernel = isSmall ? 3 : 7;
    const front = conv(image, `${path}.conv1_1.conv`, at, { channels: stem, kernel, stride: 2 });
    const c1 = normActivate(front, `${path}.conv1_1.bn`, at, 'relu');
    let x = maxPool(c1, at, { kernel: 3, stride: 2 });
    const [c2, c3, c4, end] = depths.map((depth, stage) => {
      const scale = 2 ** stage;
      const residual = RESIDUAL[isSmall ? 'small' : 'large'] * scale;
      const options = { ...rest, inner: width * scale, residual, growth: growth[stage]! };
      for (let i = 1; i <= depth; i++) {
        const projects = stage === 0 ? 1 : 2;
        x = block(x, `${path}.conv${stage + 2}_${i}`, at, i === 1 ? { ...options, projects } : options);
      }
      return x;
    }) as [Value, Value, Value, Value];
    // timm 1.0.31 asks for ELU here, but builds ReLU.
    return { c1, c2, c3, c4, c5: normActivate(end, `${path}.conv5_bn_ac.bn`, at, 'relu') };
  };

const classifier: Classifier = ({ c5 }, at, classes) =>
  reshape(conv(globalAveragePool(c5), 'classifier', at, { channels: classes, bias: true }), [c5.shape[0]!, classes]);

const stages = (depths: Variant['depths']): string[][] => [
  ['backbone.features.conv1_1'],
  ...depths.map((depth, stage) => {
    const blocks = Array.from({ length: depth }, (_, i) => `conv${stage + 2}_${i + 1}`);
    return [...blocks, ...(stage === depths.length - 1 ? ['conv5_bn_ac'] : [])].map(
      (name) => `backbone.features.${name}`,
    );
  }),
];

/** Pre-processing of the authors. dpn68b was retrained with that of ImageNet. */
const AUTHORS: { readonly mean: Rgb; readonly std: Rgb } = {
  mean: [124, 117, 104],
  std: [1 / 0.0167, 1 / 0.0167, 1 / 0.0167],
};

export const dpn: readonly Backbone[] = (
  [
    ['dpn68', small, AUTHORS],
    ['dpn68b', { ...small, apart: true }, IMAGENET],
    ['dpn92', dpn92, AUTHORS],
    ['dpn98', dpn98, AUTHORS],
    ['dpn131', dpn131, AUTHORS],
    ['dpn107', dpn107, AUTHORS],
  ] as const
).map(([name, variant, preprocessing]) => ({
  name,
  style: { ...pytorch, epsilon: 1e-3 },
  ...preprocessing,
  resolution: 224,
  stages: stages(variant.depths),
  source: 'arXiv:1707.01629',
  features: features(variant),
  classifier,
}));
