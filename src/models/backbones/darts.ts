import { activate, batchNorm, conv, type Context } from '../../graph/blocks.js';
import type { Value } from '../../graph/spec.js';
import { IMAGENET, pytorch, type Backbone, type Taps } from '../backbone.js';
import { linearHead } from './linearHead.js';
import { nasCell, type Cell, type CellNames } from './nasCell.js';

/** Liu et al. 2019 (arXiv:1806.09055), figures 4 and 5: the cells found on CIFAR-10 with second-order gradients. */
const normal: Cell = {
  sums: [
    [['separable3', 1], ['separable3', 0]],
    [['separable3', 1], ['separable3', 0]],
    [['separable3', 0], ['none', 1]],
    [['none', 1], ['dilated3', 2]],
  ],
  output: [2, 3, 4, 5],
}; // prettier-ignore
const reduction: Cell = {
  sums: [
    [['max3', 1], ['max3', 0]],
    [['none', 2], ['max3', 0]],
    [['max3', 1], ['none', 2]],
    [['none', 2], ['max3', 0]],
  ],
  output: [2, 3, 4, 5],
}; // prettier-ignore

/** Section 3.2.2: 14 cells. The cells at one and at two thirds of the depth halve the size. */
const LENGTHS = [4, 5, 5] as const;
const WIDTH = 48;
const names: CellNames = {
  input: (state) => (state === 0 ? 'preprocess' : 'preprocess_prev'),
  halves: ['conv1', 'conv2'],
  branch: (sum, side) => `body.ops.${2 * sum + side}`,
};

function features(image: Value, at: Context): Taps {
  const path = 'backbone.features';
  const reduce = (x: Value, name: string, channels: number): Value =>
    batchNorm(conv(x, `${path}.${name}.conv`, at, { channels, kernel: 3, stride: 2 }), `${path}.${name}.bn`, at);
  const c1 = reduce(image, 'stem1_unit.conv1', WIDTH / 2);
  const c2 = reduce(activate(c1, 'relu'), 'stem1_unit.conv2', WIDTH);
  let [x, before] = [reduce(activate(c2, 'relu'), 'stem2_unit', WIDTH), c2];
  const [c3, c4, c5] = LENGTHS.map((length, stage) => {
    for (let i = 0; i < length; i++) {
      const reduces = stage > 0 && i === 0;
      const options = { channels: WIDTH * 2 ** stage, stride: reduces ? 2 : 1, names };
      const name = `${path}.stage${stage + 1}.unit${i + 1}`;
      const y = nasCell(x, before, name, at, { cell: reduces ? reduction : normal, ...options });
      [x, before] = [y, x];
    }
    return x;
  }) as [Value, Value, Value];
  return { c1, c2, c3, c4, c5 };
}

/** Neither timm nor torchvision has this model; the names of its parameters are those of pytorchcv. */
export const darts: readonly Backbone[] = [
  {
    name: 'darts',
    style: pytorch,
    ...IMAGENET,
    resolution: 224,
    stages: [['stem1_unit', 'stem2_unit'], ['stage1'], ['stage2'], ['stage3']].map((stage) =>
      stage.map((name) => `backbone.features.${name}`),
    ),
    source: 'arXiv:1806.09055',
    features,
    classifier: linearHead('output'),
  },
];
