import { averagePool, conv, normActivate, type Context } from '../../graph/blocks.js';
import { concat, maxPool } from '../../graph/builder.js';
import type { Value } from '../../graph/spec.js';
import { IMAGENET, pytorch, type Backbone, type Taps } from '../backbone.js';
import { linearHead } from './linearHead.js';

/** Wang et al. 2018 (arXiv:1804.06882), table 1: layers and width of the bottlenecks of each stage. */
const rows = [
  [3, 1],
  [4, 2],
  [8, 4],
  [6, 4],
] as const;
const STEM = 32;
/** Channels of one of the two branches of a layer: half of what the layer appends. */
const GROWTH = 16;
const none = [[0, 0], [0, 0]] as const; // prettier-ignore

const layer = (x: Value, path: string, at: Context, channels: number, kernel = 1, stride = 1): Value =>
  normActivate(conv(x, `${path}.conv`, at, { channels, kernel, stride }), `${path}.bn`, at, 'relu');

/** Figure 1 (a): one branch sees 3×3, the other 5×5. */
function unit(x: Value, path: string, at: Context, width: number): Value {
  const near = layer(layer(x, `${path}.branch1.conv1`, at, width), `${path}.branch1.conv2`, at, GROWTH, 3);
  const middle = layer(layer(x, `${path}.branch2.conv1`, at, width), `${path}.branch2.conv2`, at, GROWTH, 3);
  return concat([x, near, layer(middle, `${path}.branch2.conv3`, at, GROWTH, 3)], 3);
}

function features(image: Value, at: Context): Taps {
  const path = 'backbone.features';
  const front = `${path}.init_block`;
  const c1 = layer(image, `${front}.first_conv`, at, STEM, 3, 2);
  const narrow = layer(c1, `${front}.branches.branch1.conv1`, at, STEM / 2);
  const spatial = layer(narrow, `${front}.branches.branch1.conv2`, at, STEM, 3, 2);
  const peaks = maxPool(c1, { kernel: [2, 2], stride: 2, padding: none });
  let x = layer(concat([spatial, peaks], 3), `${front}.last_conv`, at, STEM);
  const [c2, c3, c4, end] = rows.map(([layers, width], i) => {
    const stage = `${path}.stage${i + 1}`;
    if (i > 0) x = averagePool(layer(x, `${stage}.trans${i + 1}.conv`, at, x.shape[3]!), { kernel: 2, stride: 2 });
    for (let j = 1; j <= layers; j++) x = unit(x, `${stage}.unit${j}`, at, GROWTH * width);
    return x;
  }) as [Value, Value, Value, Value];
  return { c1, c2, c3, c4, c5: layer(end, `${path}.final_block`, at, end.shape[3]!) };
}

/** Neither timm nor torchvision has this model; the names of models and parameters are those of pytorchcv. */
export const pelee: readonly Backbone[] = [
  {
    name: 'peleenet',
    style: pytorch,
    ...IMAGENET,
    resolution: 224,
    stages: [['init_block'], ['stage1'], ['stage2'], ['stage3'], ['stage4', 'final_block']].map((names) =>
      names.map((name) => `backbone.features.${name}`),
    ),
    source: 'arXiv:1804.06882',
    features,
    classifier: linearHead('output.fc'),
  },
];
