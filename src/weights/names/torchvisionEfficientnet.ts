import { PYTORCH } from '../conventions.js';
import { renaming } from './nameMap.js';
import { blockLayerName } from './torchvisionBlock.js';

const OUTSIDE: Readonly<Record<string, string>> = {
  'features.0.0': 'conv_stem',
  'features.0.1': 'bn1',
  'features.8.0': 'conv_head',
  'features.8.1': 'bn2',
  'classifier.1': 'classifier',
};

/** https://github.com/pytorch/vision/blob/main/torchvision/models/efficientnet.py, B0 to B4. */
export const torchvisionEfficientnet = renaming({
  origin: "torchvision's efficientnet",
  models: /^efficientnet_b[0234]$|^tv_efficientnet_b1$/, // efficientnet_b1 has the normalisation of other weights
  conventions: PYTORCH,
  recognises: (raw) => raw.has('features.1.0.block.1.fc1.weight') && raw.has('features.8.0.weight'),
  rename: (name, raw) => {
    const [, prefix, stage, block, inner = ''] = /^(features\.(\d)\.(\d+))(\.block\..+)$/.exec(name) ?? [];
    if (prefix === undefined) return name.replace(/^[a-z]+\.\d(\.\d)?(?=\.)/, (layer) => OUTSIDE[layer] ?? layer);
    const layer = blockLayerName(prefix, inner, (other) => raw.has(other));
    return layer && `blocks.${Number(stage) - 1}.${block!}.${layer}`;
  },
});
