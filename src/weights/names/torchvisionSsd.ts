import { CENTRED, PYTORCH } from '../conventions.js';
import { BACKGROUND } from '../../categories/columns.js';
import { COCO_COLUMNS } from '../../categories/coco.js';
import type { RawTensor } from '../decode/rawTensor.js';
import { renaming, type NameMap } from './nameMap.js';
import { mobilenetV3Name } from './torchvisionMobilenetV3.js';

type Raw = ReadonlyMap<string, RawTensor>;

/** torchvision's detectors do not name their categories. If they have one column for background and one for each number
 *  of COCO, they are COCO's. */
const categoriesOf = (raw: Raw, anchors: number): readonly string[] | undefined => {
  const bias =
    raw.get('head.classification_head.module_list.0.1.bias') ?? raw.get('head.classification_head.module_list.0.bias');
  return bias && bias.shape[0]! / anchors === 1 + COCO_COLUMNS.length ? [BACKGROUND, ...COCO_COLUMNS] : undefined;
};

/** Adds the categories of COCO to a map, if the file has columns for them. `anchors`: anchors per cell of the finest
 *  level. */
const withCategories = (map: NameMap, anchors: number): NameMap => ({
  ...map,
  apply: (raw, file) => ({ ...map.apply(raw, file), categories: categoriesOf(raw, anchors) }),
});

const KIND: Readonly<Record<string, string>> = { classification: 'class', regression: 'box' };
const PREDICTOR = /^head\.(classification|regression)_head\.module_list\.(\d)\.(.*)$/;

/** Returns the name that a feature has in torchvision's whole MobileNetV3. The detector cuts the network after the
 *  expansion of block 13 and names its features anew. */
function wholeName(name: string): string {
  return name
    .replace(/^backbone\.features\.0\.13\./, 'features.13.block.0.')
    .replace(/^backbone\.features\.0\./, 'features.')
    .replace(/^backbone\.features\.1\.0\./, 'features.13.block.')
    .replace(/^backbone\.features\.1\.(\d)\./, (_, k: string) => `features.${13 + Number(k)}.`);
}

const LITE_LAYERS: Readonly<Record<string, string>> = { '0.0': 'conv_dw', '0.1': 'bn', '1': 'predict' };
const LITE_EXTRAS = ['conv_pw', 'conv_dw', 'conv_pwl'];

function ssdLiteName(name: string, raw: Raw): string | undefined {
  const predictor = PREDICTOR.exec(name);
  if (predictor) {
    const [, kind, level, layer] = predictor as unknown as [string, string, string, string];
    return `head.${KIND[kind]!}.${level}.${layer.replace(/^(0\.\d|1)/, (found) => LITE_LAYERS[found] ?? found)}`;
  }
  const extra = /^backbone\.extra\.(\d)\.(\d)\.(\d)\.(\w+)$/.exec(name);
  if (extra) {
    const [, level, layer, part, variable] = extra as unknown as [string, string, string, string, string];
    return `neck.extras.${level}.${part === '0' ? LITE_EXTRAS[Number(layer)]! : `bn${Number(layer) + 1}`}.${variable}`;
  }
  const whole = new Set([...raw.keys()].map(wholeName));
  const feature = mobilenetV3Name(wholeName(name), (other) => whole.has(other));
  return feature && `backbone.${feature}`;
}

/** https://github.com/pytorch/vision/blob/main/torchvision/models/detection/ssdlite.py, for models with `anchors:
 *  torchvision`. */
export const torchvisionSsdLite = withCategories(
  renaming({
    origin: "torchvision's ssdlite320_mobilenet_v3_large",
    models: /^mobilenetv3_large_reduced/,
    conventions: { padding: 'symmetric', epsilon: 1e-3, ...CENTRED },
    recognises: (raw) => raw.has('backbone.features.0.13.0.weight') && raw.has('backbone.extra.0.2.0.weight'),
    rename: ssdLiteName,
  }),
  6,
);

/** Normalisation of Caffe's VGG: the mean is subtracted, and pixels keep their range. */
const CAFFE = { mean: [122.99925, 116.9991, 103.9992], std: [1, 1, 1] } as const;

const SSD_NAMES: readonly (readonly [RegExp, string])[] = [
  [/^backbone\.scale_weight$/, 'neck.l2norm.weight'],
  [/^backbone\.extra\.0\.1\./, 'backbone.features.24.'],
  [/^backbone\.extra\.0\.3\./, 'backbone.features.26.'],
  [/^backbone\.extra\.0\.5\./, 'backbone.features.28.'],
  [/^backbone\.extra\.0\.7\.1\./, 'neck.fc6.'],
  [/^backbone\.extra\.0\.7\.3\./, 'neck.fc7.'],
];

function ssdName(name: string): string {
  const [pattern, ours] = SSD_NAMES.find(([pattern]) => pattern.test(name)) ?? [];
  if (pattern) return name.replace(pattern, ours!);
  return name
    .replace(
      /^backbone\.extra\.(\d)\.([02])\./,
      (_, i: string, j: string) => `neck.extras.${Number(i) - 1}.conv${1 + Number(j) / 2}.`,
    )
    .replace(
      PREDICTOR,
      (_, kind: string, level: string, rest: string) => `head.${KIND[kind]!}.${level}.predict.${rest}`,
    );
}

/** https://github.com/pytorch/vision/blob/main/torchvision/models/detection/ssd.py. */
export const torchvisionSsd = withCategories(
  renaming({
    origin: "torchvision's ssd300_vgg16",
    models: /^vgg16_caffe$/,
    conventions: { padding: PYTORCH.padding, ...CAFFE },
    recognises: (raw) => raw.has('backbone.scale_weight') && raw.has('backbone.extra.0.7.1.weight'),
    rename: ssdName,
  }),
  4,
);
