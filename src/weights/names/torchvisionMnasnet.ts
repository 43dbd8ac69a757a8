import { PYTORCH } from '../conventions.js';
import { renaming } from './nameMap.js';

const OUTSIDE: Readonly<Record<string, string>> = {
  'layers.0': 'conv_stem',
  'layers.1': 'bn1',
  'layers.3': 'blocks.0.0.conv_dw',
  'layers.4': 'blocks.0.0.bn1',
  'layers.6': 'blocks.0.0.conv_pw',
  'layers.7': 'blocks.0.0.bn2',
  'layers.14': 'conv_head',
  'layers.15': 'bn2',
  'classifier.1': 'classifier',
};
const INSIDE: Readonly<Record<string, string>> = {
  '0': 'conv_pw',
  '1': 'bn1',
  '3': 'conv_dw',
  '4': 'bn2',
  '6': 'conv_pwl',
  '7': 'bn3',
};

/** https://github.com/pytorch/vision/blob/main/torchvision/models/mnasnet.py: the variant without squeeze-excite. */
export const torchvisionMnasnet = renaming({
  origin: "torchvision's mnasnet",
  models: /^mnasnet_\d/,
  conventions: PYTORCH,
  recognises: (raw) => raw.has('layers.8.0.layers.0.weight') && raw.has('layers.14.weight'),
  rename: (name) => {
    const [, stage, block, layer = '', variable] = /^layers\.(\d+)\.(\d)\.layers\.(\d)\.(\w+)$/.exec(name) ?? [];
    if (stage === undefined) return name.replace(/^[a-z]+\.\d+(?=\.)/, (outside) => OUTSIDE[outside] ?? outside);
    const ours = INSIDE[layer];
    return ours && `blocks.${Number(stage) - 7}.${block!}.${ours}.${variable!}`;
  },
});
