/** Published figures of a backbone: accuracy on ImageNet's validation images in percent, parameters and multiply-adds;
 *  null where the source does not say. */
export interface Published {
  readonly top1: number | null;
  readonly top5: number | null;
  readonly params: number | null;
  readonly macs: number | null;
  readonly source: string;
}

type Row = readonly [
  name: string,
  top1: number,
  top5: number | null,
  paramsMillion: number,
  macsBillion: number | null,
];

const M = 1e6;
const G = 1e9;

/** The comparison in the talk; its error rates are written here as 100 − error. */
const TALK = "the talk's comparison table";
const talk: readonly Row[] = [
  ['vgg16_bn', 71.5, 89.8, 138.4, 15.5],
  ['vgg19_bn', 74.2, 91.8, 143.7, 19.7],
  ['resnet50', 76.1, 92.9, 23.5, 4.1],
  ['resnet101', 77.4, 93.6, 42.5, 7.9],
  ['resnet152', 78.3, 94.1, 60.2, 11.6],
  ['inception_v3', 77.4, 93.6, 27.2, 2.9],
  ['resnext101_32x4d', 78.2, 93.9, 44.2, 8.0],
  ['resnext101_64x4d', 79.0, 94.2, 83.5, 15.6],
  ['densenet169', 76.0, 93.0, 14.2, 3.4],
  ['densenet201', 77.2, 93.6, 20.0, 4.4],
  ['legacy_xception', 79.0, 94.5, 22.9, 8.4],
  ['mobilenetv1_100', 70.6, 89.5, 4.2, 0.58],
  ['mobilenetv2_100', 72.0, 91.0, 3.5, 0.33],
  ['mobilenetv3_large_100', 75.2, null, 5.4, 0.22],
  ['shufflenet_g3_w2', 73.7, null, 5.4, 0.52],
  ['shufflenet_v2_x1_5', 72.6, null, 3.5, 0.3],
  ['peleenet', 72.6, 90.6, 2.8, 0.51],
  ['fbnetc_100', 74.9, null, 5.5, 0.38],
  ['proxylessnas_mobile', 74.6, 93.3, 4.1, 0.32],
  ['semnasnet_100', 75.2, 92.5, 3.9, 0.32],
  ['mnasnet_a2_reconstruction', 75.6, 92.7, 4.8, 0.34],
  ['efficientnet_b0', 76.3, 93.2, 5.3, 0.39],
  ['condensenet74_c4_g4', 73.8, 91.7, 4.8, 0.53],
  ['nasnetamobile', 74.0, 91.7, 5.3, 0.56],
  ['amoebanet_a_mobile', 75.5, 92.0, 5.1, 0.56],
  ['pnasnet5mobile', 74.2, 91.9, 5.1, 0.59],
  ['darts', 73.1, 91.0, 4.9, 0.6],
  ['randwire_ws', 74.7, 92.2, 5.6, 0.58],
  ['talk_small_reconstruction', 77.04, 93.2, 3.76, 0.4],
  ['talk_large_reconstruction', 77.64, 93.84, 3.99, 0.71],
];

const PAPER = 'arXiv:2007.00992 and github.com/clovaai/rexnet';
const rexnet: readonly Row[] = [
  ['rexnet_090', 77.2, null, 4.1, 0.35],
  ['rexnet_100', 77.9, null, 4.8, 0.4],
  ['rexnet_130', 79.5, null, 7.6, 0.66],
  ['rexnet_150', 80.3, null, 9.7, 0.88],
  ['rexnet_200', 81.6, null, 16, 1.5],
  ['rexnet_300', 82.8, null, 34, 3.4],
  ['rexnet_lite_100', 76.2, null, 4.7, null],
  ['rexnet_lite_130', 77.8, null, 6.8, null],
  ['rexnet_lite_150', 78.6, null, 8.3, null],
  ['rexnet_lite_200', 80.2, null, 13, null],
];

/** results/results-imagenet.csv of huggingface/pytorch-image-models at 0173a139: top-1, top-5, parameters; the weights
 *  without suffix in the order timm prefers (ra, ra2, ft, rmsp, in1k, tv), at the resolution named there. */
const TIMM = 'timm, results/results-imagenet.csv at 0173a139';
const timm: readonly Row[] = [
  ['efficientnet_b1', 78.8, 94.342, 7.79, null],
  ['efficientnet_b2', 80.61, 95.314, 9.11, null],
  ['tf_efficientnet_b0', 76.532, 93.008, 5.29, null],
  ['tf_efficientnet_b1', 78.56, 94.094, 7.79, null],
  ['tf_efficientnet_b2', 79.604, 94.714, 9.11, null],
  ['tf_efficientnet_b3', 80.878, 95.3, 12.23, null],
  ['efficientnet_lite0', 75.48, 92.522, 4.65, null],
  ['tf_efficientnet_lite0', 74.83, 92.172, 4.65, null],
  ['tf_efficientnet_lite1', 76.644, 93.23, 5.42, null],
  ['tf_efficientnet_lite2', 77.464, 93.75, 6.09, null],
  ['tf_efficientnet_lite3', 79.808, 94.912, 8.2, null],
  ['tf_efficientnet_lite4', 81.532, 95.664, 13.01, null],
  ['mixnet_s', 75.994, 92.798, 4.13, null],
  ['mixnet_m', 77.258, 93.418, 5.01, null],
  ['mixnet_l', 78.966, 94.18, 7.33, null],
  ['tf_mixnet_s', 75.652, 92.636, 4.13, null],
  ['tf_mixnet_m', 76.954, 93.154, 5.01, null],
  ['tf_mixnet_l', 78.776, 94.002, 7.33, null],
  ['mobilenetv2_050', 65.95, 86.086, 1.97, null],
  ['mobilenetv2_140', 76.52, 92.986, 6.11, null],
  ['mobilenetv3_small_050', 57.91, 80.18, 1.59, null],
  ['mobilenetv3_small_075', 65.234, 85.446, 2.04, null],
  ['mobilenetv3_small_100', 67.656, 87.636, 2.54, null],
  ['tf_mobilenetv3_small_075', 65.728, 86.126, 2.04, null],
  ['tf_mobilenetv3_small_100', 67.918, 87.674, 2.54, null],
  ['tf_mobilenetv3_large_075', 73.432, 91.352, 3.99, null],
  ['tf_mobilenetv3_large_100', 75.516, 92.594, 5.48, null],
  ['mnasnet_100', 74.65, 92.124, 4.38, null],
  ['semnasnet_075', 72.992, 91.138, 2.91, null],
  ['spnasnet_100', 74.086, 91.82, 4.42, null],
  ['densenet121', 74.764, 92.154, 7.98, null],
  ['densenet161', 77.358, 93.642, 28.68, null],
  ['resnet18', 69.76, 89.07, 11.69, null],
  ['resnet34', 74.578, 91.984, 21.8, null],
  ['resnext50_32x4d', 77.618, 93.696, 25.03, null],
  ['seresnet50', 81.284, 95.652, 28.09, null],
  ['seresnext50_32x4d', 79.91, 94.824, 27.56, null],
  ['seresnext101_32x4d', 80.892, 95.296, 48.96, null],
  ['seresnext101_64x4d', 80.896, 95.296, 88.23, null],
  ['wide_resnet50_2', 78.48, 94.086, 68.88, null],
  ['wide_resnet101_2', 78.838, 94.282, 126.89, null],
  ['vgg11', 69.022, 88.624, 132.86, null],
  ['vgg11_bn', 70.382, 89.808, 132.87, null],
  ['vgg13', 69.932, 89.25, 133.05, null],
  ['vgg13_bn', 71.588, 90.378, 133.05, null],
  ['vgg16', 71.592, 90.384, 138.36, null],
  ['vgg19', 72.378, 90.874, 143.67, null],
  ['dpn68b', 79.362, 94.438, 12.61, null],
  ['dpn92', 80.038, 94.86, 37.67, null],
  ['dpn98', 79.67, 94.654, 61.57, null],
  ['dpn131', 79.814, 94.7, 79.25, null],
  ['dpn107', 80.168, 94.942, 86.92, null],
];

/** Model cards of the weights on Hugging Face, at the resolution they were trained at: small.e2400_r224_in1k, medium.e500_r256_in1k,
 *  large.e600_r384_in1k. The card rounds the small network's MACs to 0.2 G, too coarsely for a comparison. */
const CARDS = "timm's model cards, huggingface.co/timm";
const cards: readonly Row[] = [
  ['mobilenetv4_conv_small', 73.756, 91.422, 3.77, null],
  ['mobilenetv4_conv_medium', 79.928, 95.184, 9.72, 1.1],
  ['mobilenetv4_conv_large', 82.952, 96.266, 32.59, 6.4],
];

/** Metadata of the weights, torchvision 0.26: acc@1, acc@5, num_params, GFLOPS (multiply-adds). */
const TORCHVISION = "torchvision 0.26, the weights' metadata";
const torchvision: readonly Row[] = [
  ['tv_efficientnet_b1', 79.838, 94.934, 7.79, 0.69],
  ['alexnet', 56.522, 79.066, 61.1, 0.71],
  ['googlenet', 69.778, 89.53, 6.62, 1.5],
];

const sources = [
  [TALK, talk],
  [PAPER, rexnet],
  [TIMM, timm],
  [CARDS, cards],
  [TORCHVISION, torchvision],
] as const;

export const published: ReadonlyMap<string, Published> = new Map(
  sources.flatMap(([source, rows]) =>
    rows.map(([name, top1, top5, params, macs]): [string, Published] => [
      name,
      { top1, top5, params: Math.round(params * M), macs: macs === null ? null : Math.round(macs * G), source },
    ]),
  ),
);

/** Why counted figures differ from the published ones, where they do by more than rounding. */
export const differences: Readonly<Record<string, string>> = {
  resnet50: 'the 23.5 M are those without the classifier',
  resnet101: 'the 42.5 M are those without the classifier',
  inception_v3: 'the 27.2 M include the auxiliary classifier, and the 2.9 G are those of 224 × 224',
  mobilenetv2_100: 'the paper itself says 0.300 G',
  darts:
    "the 4.9 M and 0.60 G are those of the paper's first version; the cells of its code and of its last version have 4.7 M parameters, as here, and by the paper's own count 0.574 G",
};

export const unpublished: Published = { top1: null, top5: null, params: null, macs: null, source: 'none' };
