import { PYTORCH, TENSORFLOW } from '../conventions.js';
import { blockPaths, kerasRenaming, renaming } from './nameMap.js';

/** Blocks of each stage (Sandler et al. 2018, table 2, arXiv:1801.04381). */
const BLOCKS = blockPaths([1, 2, 3, 4, 3, 3, 1]);

/** torchvision's names of the layers of a block; the first block has no expansion.
 *  https://github.com/pytorch/vision/blob/main/torchvision/models/mobilenetv2.py */
const FIRST: Readonly<Record<string, string>> = {
  'conv.0.0': 'conv_dw',
  'conv.0.1': 'bn1',
  'conv.1': 'conv_pw',
  'conv.2': 'bn2',
};
const OTHERS: Readonly<Record<string, string>> = {
  'conv.0.0': 'conv_pw',
  'conv.0.1': 'bn1',
  'conv.1.0': 'conv_dw',
  'conv.1.1': 'bn2',
  'conv.2': 'conv_pwl',
  'conv.3': 'bn3',
};
const OUTSIDE: Readonly<Record<string, string>> = {
  'features.0.0': 'conv_stem',
  'features.0.1': 'bn1',
  'features.18.0': 'conv_head',
  'features.18.1': 'bn2',
  'classifier.1': 'classifier',
};

export const torchvisionMobilenetV2 = renaming({
  origin: "torchvision's mobilenet_v2",
  models: /^mobilenetv2_/,
  conventions: PYTORCH,
  recognises: (raw) => raw.has('features.1.conv.0.0.weight') && raw.has('features.18.0.weight'),
  rename: (name) => {
    const dot = name.lastIndexOf('.');
    const [layer, part] = [name.slice(0, dot), name.slice(dot)];
    const [, index, inner] = /^features\.(\d+)\.(conv\..+)$/.exec(layer) ?? [];
    if (inner === undefined) return OUTSIDE[layer] && OUTSIDE[layer] + part;
    const path = BLOCKS[Number(index) - 1];
    const ours = (index === '1' ? FIRST : OTHERS)[inner];
    return path && ours && `blocks.${path}.${ours}${part}`;
  },
});

/** https://github.com/keras-team/keras/blob/master/keras/src/applications/mobilenet_v2.py */
const KERAS_OUTSIDE: Readonly<Record<string, string>> = {
  Conv1: 'conv_stem',
  bn_Conv1: 'bn1',
  Conv_1: 'conv_head',
  Conv_1_bn: 'bn2',
  predictions: 'classifier',
  Logits: 'classifier',
};
const KERAS_FIRST: Readonly<Record<string, string>> = {
  depthwise: 'conv_dw',
  depthwise_BN: 'bn1',
  project: 'conv_pw',
  project_BN: 'bn2',
};
const KERAS_OTHERS: Readonly<Record<string, string>> = {
  expand: 'conv_pw',
  expand_BN: 'bn1',
  depthwise: 'conv_dw',
  depthwise_BN: 'bn2',
  project: 'conv_pwl',
  project_BN: 'bn3',
};

export const kerasMobilenetV2 = kerasRenaming({
  origin: "Keras' MobileNetV2",
  models: /^tf_mobilenetv2_/,
  conventions: TENSORFLOW,
  recognises: (raw) => raw.has('Conv1/kernel') && raw.has('expanded_conv_depthwise/kernel'),
  rename: (layer) => {
    const [, index, inner] = /^(?:expanded_conv|block_(\d+))_(.+)$/.exec(layer) ?? [];
    if (inner === undefined) return KERAS_OUTSIDE[layer];
    const path = BLOCKS[Number(index ?? 0)];
    const ours = (index === undefined ? KERAS_FIRST : KERAS_OTHERS)[inner];
    return path && ours && `blocks.${path}.${ours}`;
  },
});
