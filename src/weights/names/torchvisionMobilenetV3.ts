import { PYTORCH } from '../conventions.js';
import type { RawTensor } from '../decode/rawTensor.js';
import { blockPaths, renaming } from './nameMap.js';
import { blockLayerName } from './torchvisionBlock.js';

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
    const layer = blockLayerName(prefix, inner, has);
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
