import { TENSORFLOW } from '../conventions.js';
import { blockPaths, kerasRenaming } from './nameMap.js';

/** timm's stages: 64×1, 128×2, 256×2, 512×6, 1024×2 (Howard et al. 2017, table 1, arXiv:1704.04861). */
const BLOCKS = blockPaths([1, 2, 2, 6, 2]);
const OUTSIDE: Readonly<Record<string, string>> = { conv1: 'conv_stem', conv1_bn: 'bn1', conv_preds: 'classifier' };
const INNER: Readonly<Record<string, string>> = { dw: 'conv_dw', dw_bn: 'bn1', pw: 'conv_pw', pw_bn: 'bn2' };

/** https://github.com/keras-team/keras/blob/master/keras/src/applications/mobilenet.py. Its classifier is a 1×1
 *  convolution. */
export const kerasMobilenetV1 = kerasRenaming({
  origin: "Keras' MobileNet",
  models: /^tf_mobilenetv1_/,
  conventions: TENSORFLOW,
  recognises: (raw) => raw.has('conv1/kernel') && raw.has('conv_dw_1/kernel') && raw.has('conv_pw_13/kernel'),
  rename: (layer) => {
    const [, kind = '', index, norm = ''] = /^conv_(dw|pw)_(\d+)(_bn)?$/.exec(layer) ?? [];
    if (index === undefined) return OUTSIDE[layer];
    const path = BLOCKS[Number(index) - 1];
    return path && `blocks.${path}.${INNER[kind + norm]!}`;
  },
  reshape: (name, shape) => (name === 'classifier.weight' ? shape.slice(2) : shape),
});
