import { PYTORCH } from '../conventions.js';
import { blockPaths, renaming } from './nameMap.js';

/** Blocks of each stage of MobileNetV3-large: Howard et al. 2019 (arXiv:1905.02244), table 1. */
const BLOCKS = blockPaths([1, 2, 3, 4, 2, 3]);
const LAST = BLOCKS.length + 1;

/** Translates torchvision's name of a feature of MobileNetV3-large, `features.<i>.…`, to timm's. `has` tells which
 *  names the file has besides. */
export function mobilenetV3Name(name: string, has: (name: string) => boolean): string | undefined {
  const ends = /^features\.(\d+)\.([01])\.(\w+)$/.exec(name);
  if (ends) {
    const [, index = '', part, variable = ''] = ends;
    const [conv, norm] = Number(index) === 0 ? ['conv_stem', 'bn1'] : ['blocks.6.0.conv', 'blocks.6.0.bn1'];
    return [0, LAST].includes(Number(index)) ? `${part === '0' ? conv : norm}.${variable}` : undefined;
  }
  const inside = /^features\.(\d+)\.block\.(\d)\.(0|1|fc1|fc2)\.(\w+)$/.exec(name);
  const block = BLOCKS[Number(inside?.[1]) - 1];
  if (!inside || block === undefined) return undefined;
  const [, index, layer, part, variable] = inside as unknown as [string, string, string, string, string];
  if (part.startsWith('fc')) return `blocks.${block}.se.conv_${part === 'fc1' ? 'reduce' : 'expand'}.${variable}`;
  const squeezed = has(`features.${index}.block.${Number(layer) - 1}.fc1.weight`); // a squeeze-excite right before it takes a number too
  const place = Number(layer) - (squeezed ? 1 : 0);
  const convolutions = index === '1' ? ['conv_dw', 'conv_pw'] : ['conv_pw', 'conv_dw', 'conv_pwl'];
  return `blocks.${block}.${part === '0' ? convolutions[place]! : `bn${place + 1}`}.${variable}`;
}

const CLASSIFIER: Readonly<Record<string, string>> = { 'classifier.0': 'conv_head', 'classifier.3': 'classifier' };

/** https://github.com/pytorch/vision/blob/main/torchvision/models/mobilenetv3.py, large. */
export const torchvisionMobilenetV3 = renaming({
  origin: "torchvision's mobilenet_v3_large",
  models: /^mobilenetv3_large_\d/,
  conventions: { ...PYTORCH, epsilon: 1e-3 },
  recognises: (raw) => raw.has('features.15.block.2.fc1.weight') && raw.has('features.16.0.weight'),
  rename: (name, raw) =>
    name.startsWith('classifier.')
      ? name.replace(/^classifier\.\d/, (layer) => CLASSIFIER[layer] ?? layer)
      : mobilenetV3Name(name, (other) => raw.has(other)),
  reshape: (name, shape) => (name === 'conv_head.weight' ? [...shape, 1, 1] : shape),
});
