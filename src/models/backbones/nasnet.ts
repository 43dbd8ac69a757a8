import { activate, batchNorm, conv, type Context } from '../../graph/blocks.js';
import type { Value } from '../../graph/spec.js';
import { INCEPTION, tensorflow, type Backbone, type Taps } from '../backbone.js';
import { linearHead } from './linearHead.js';
import { nasCell, type Cell, type CellNames } from './nasCell.js';

/** A network of the NASNet search space: Zoph et al. 2018 (arXiv:1707.07012), figure 2. */
interface Network {
  readonly normal: Cell;
  /** The cell with stride 2. Default: the normal cell. */
  readonly reduction?: Cell;
  /** Names of the cells with stride 2 after the first convolution. */
  readonly stem: readonly string[];
  /** Number of cells of each stage. The first cell of a stage has stride 2, unless the stem has reached stride 8
   *  already. */
  readonly lengths: readonly [number, number, number];
  /** Channels of a branch in the first stage; each stage doubles them, the stem halves them. */
  readonly filters: number;
  readonly names: CellNames;
}

/** Zoph et al. 2018, figure 4. */
const nasnetA = {
  normal: {
    sums: [
      [['separable5', 0], ['separable3', 1]],
      [['separable5', 1], ['separable3', 1]],
      [['average3', 0], ['none', 1]],
      [['average3', 1], ['average3', 1]],
      [['separable3', 0], ['none', 0]],
    ],
    output: [1, 2, 3, 4, 5, 6],
  },
  reduction: {
    sums: [
      [['separable5', 0], ['separable7', 1]],
      [['max3', 0], ['separable7', 1]],
      [['average3', 0], ['separable5', 1]],
      [['none', 3], ['average3', 2]],
      [['separable3', 2], ['max3', 0]],
    ],
    output: [3, 4, 5, 6],
  },
} as const; // prettier-ignore

/** Real et al. 2019 (arXiv:1802.01548), figure 5; the authors' code, tensorflow/tpu, amoeba_net, `amoeba_net_a`. */
const amoebanetA = {
  normal: {
    sums: [
      [['average3', 0], ['max3', 0]],
      [['separable3', 1], ['none', 1]],
      [['none', 0], ['average3', 1]],
      [['separable3', 0], ['separable5', 2]],
      [['average3', 5], ['separable3', 0]],
    ],
    output: [1, 3, 4, 6],
  },
  reduction: {
    sums: [
      [['separable3', 1], ['average3', 0]],
      [['max3', 0], ['separable7', 2]],
      [['max3', 1], ['max3', 0]],
      [['separable3', 4], ['factored7', 0]],
      [['average3', 1], ['separable7', 0]],
    ],
    output: [2, 3, 4, 5, 6],
  },
} as const; // prettier-ignore

/** Liu et al. 2018 (arXiv:1712.00559), figure 1: one cell for all places. */
const pnasnet5: Cell = {
  sums: [
    [['separable5', 1], ['max3', 1]],
    [['separable7', 0], ['max3', 0]],
    [['separable5', 0], ['separable3', 0]],
    [['separable3', 4], ['max3', 0]],
    [['separable3', 1], ['none', 0]],
  ],
  output: [2, 3, 4, 5, 6],
}; // prettier-ignore

const STEM = 32;
const none = [[0, 0], [0, 0]] as const; // prettier-ignore
const branch = (sum: number, side: 0 | 1): string => `comb${sum}_${side === 0 ? 'left' : 'right'}`;
const halves = ['path1.conv', 'path2.conv'] as const;

const nasNames: CellNames = {
  input: (state, halved) => (halved ? 'path' : state === 0 ? 'conv1x1' : 'conv1x1_prev'),
  halves,
  branch,
};
const pnasNames: CellNames = { input: (state) => (state === 0 ? 'conv_1x1' : 'conv_prev_1x1'), halves, branch };

/** Path, stride and channels per branch of every cell. */
function cellRows({ stem, lengths, filters }: Network): (readonly [path: string, stride: number, channels: number])[] {
  const inStem = stem.map((path, i) => [path, 2, Math.floor((filters / 4) * 2 ** i)] as const);
  const inStages = lengths.flatMap((length, stage) =>
    Array.from({ length }, (_, i) => {
      const reduces = i === 0 && stem.length <= stage + 1;
      const channels = stage === 0 && reduces ? Math.floor(filters / 2) : filters * 2 ** stage;
      return [`stage${stage + 1}.unit${i + 1}`, reduces ? 2 : 1, channels] as const;
    }),
  );
  return [...inStem, ...inStages];
}

const features =
  (network: Network) =>
  (image: Value, at: Context): Taps => {
    const path = 'backbone.features';
    const { normal, reduction = normal, names } = network;
    const front = conv(image, `${path}.init_block.conv`, at, { channels: STEM, kernel: 3, stride: 2, padding: none });
    const c1 = batchNorm(front, `${path}.init_block.bn`, at);
    let [x, before] = [c1, c1];
    const taps = [c1];
    for (const [i, [name, stride, channels]] of cellRows(network).entries()) {
      const cell = stride === 2 ? reduction : normal;
      const y = nasCell(x, before, `${path}.${name}`, at, { cell, channels, stride, names, raw: i === 0 });
      [x, before] = [y, x];
      if (stride === 2) taps.push(y);
      else taps[taps.length - 1] = y;
    }
    const [, c2, c3, c4] = taps as [Value, Value, Value, Value, Value];
    return { c1, c2, c3, c4, c5: activate(x, 'relu') };
  };

const variant = (name: string, source: string, network: Network): Backbone => ({
  name,
  style: tensorflow,
  ...INCEPTION,
  resolution: 224,
  stages: [['init_block', ...network.stem], ['stage1'], ['stage2'], ['stage3']].map((stage) =>
    stage.map((path) => `backbone.features.${path}`),
  ),
  source,
  features: features(network),
  classifier: linearHead('output.fc'),
});

const nas = { stem: ['stem1_unit', 'stem2_unit'], lengths: [4, 5, 5], names: nasNames } as const;
const pnas = { stem: ['stem1_unit'], lengths: [4, 3, 3], names: pnasNames } as const;

/** The papers' mobile sizes: N = 4, F = 44 (4 @ 1056); N = 3, F = 54; N = 4, F = 50. The names of the parameters are
 *  those of pytorchcv's NASNet and PNASNet. */
export const nasnet: readonly Backbone[] = [
  variant('nasnetamobile', 'arXiv:1707.07012', { ...nasnetA, ...nas, filters: 44 }),
  variant('pnasnet5mobile', 'arXiv:1712.00559', { normal: pnasnet5, ...pnas, filters: 54 }),
  variant('amoebanet_a_mobile', 'arXiv:1802.01548', { ...amoebanetA, ...nas, filters: 50 }),
];
