import { PYTORCH } from '../conventions.js';
import type { RawTensor } from '../decode/rawTensor.js';
import { blockPaths, renaming } from './nameMap.js';

const CONVOLUTIONS: Readonly<Record<number, readonly string[]>> = {
  2: ['conv_dw', 'conv_pw'],
  3: ['conv_pw', 'conv_dw', 'conv_pwl'],
};

/** Returns timm's name of a layer in a block of torchvision's mobile networks. `prefix` is torchvision's name of the
 *  block and `inner` what follows it, such as `.block.1.0.weight` (a convolution), `.block.1.1.bias` (its BatchNorm) or
 *  `.block.2.fc1.weight` (squeeze-excite); `has` tells which names the file has. A block of two convolutions has no
 *  expansion. Returns undefined for another name. */
export function blockLayer(prefix: string, inner: string, has: (name: string) => boolean): string | undefined {
  const [, place, part = '', variable] = /^\.block\.(\d)\.(0|1|fc1|fc2)\.(\w+)$/.exec(inner) ?? [];
  if (place === undefined) return undefined;
  if (part.startsWith('fc')) return `se.conv_${part === 'fc1' ? 'reduce' : 'expand'}.${variable}`;
  const places = [0, 1, 2, 3].filter((k) => has(`${prefix}.block.${k}.0.weight`)); // squeeze-excite takes a place too
  const index = places.indexOf(Number(place));
  return `${part === '0' ? CONVOLUTIONS[places.length]?.[index] : `bn${index + 1}`}.${variable}`;
}

/** Blocks of each stage of MobileNetV3: Howard et al. 2019 (arXiv:1905.02244), tables 1 and 2. */
const LARGE = blockPaths([1, 2, 3, 4, 2, 3]);
const SMALL = blockPaths([1, 2, 3, 2, 3]);

const isLarge = (has: (name: string) => boolean): boolean => has('features.15.block.2.fc1.weight');

/** Translates torchvision's name of a feature of MobileNetV3, `features.<i>.…`, to timm's. `has` tells which names the
 *  file has besides. */
export function mobilenetV3Name(name: string, has: (name: string) => boolean): string | undefined {
  const [, prefix, index, inner = ''] = /^(features\.(\d+))(\..+)$/.exec(name) ?? [];
  if (prefix === undefined) return undefined;
  const blocks = isLarge(has) ? LARGE : SMALL;
  const block = blocks[Number(index) - 1];
  if (block !== undefined) {
    const layer = blockLayer(prefix, inner, has);
    return layer && `blocks.${block}.${layer}`;
  }
  const last = Number(blocks.at(-1)!.split('.')[0]) + 1;
  const layers = index === '0' ? ['conv_stem', 'bn1'] : [`blocks.${last}.0.conv`, `blocks.${last}.0.bn1`];
  return inner.replace(/^\.([01])\./, (_, part: string) => `${layers[Number(part)]!}.`);
}

const CLASSIFIER: Readonly<Record<string, string>> = { 'classifier.0': 'conv_head', 'classifier.3': 'classifier' };

/** The map of one size. https://github.com/pytorch/vision/blob/main/torchvision/models/mobilenetv3.py */
const mobilenetV3 = (size: 'large' | 'small', recognises: (raw: ReadonlyMap<string, RawTensor>) => boolean) =>
  renaming({
    origin: `torchvision's mobilenet_v3_${size}`,
    models: new RegExp(`^mobilenetv3_${size}_\\d`),
    conventions: { ...PYTORCH, epsilon: 1e-3 },
    recognises,
    rename: (name, raw) =>
      name.startsWith('classifier.')
        ? name.replace(/^classifier\.\d/, (layer) => CLASSIFIER[layer] ?? layer)
        : mobilenetV3Name(name, (other) => raw.has(other)),
    reshape: (name, shape) => (name === 'conv_head.weight' ? [...shape, 1, 1] : shape),
  });

export const torchvisionMobilenetV3Large = mobilenetV3(
  'large',
  (raw) => raw.has('features.15.block.2.fc1.weight') && raw.has('features.16.0.weight'),
);

export const torchvisionMobilenetV3Small = mobilenetV3(
  'small',
  (raw) => raw.has('features.11.block.2.fc1.weight') && raw.has('features.12.0.weight'),
);
