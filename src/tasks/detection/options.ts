/** Options of detectors that do not belong to one head. */
import { z } from 'zod';
import { count, fraction } from '../../optionValues.js';
import { classWeights } from '../classWeights.js';
import { BOX_LOSSES, type BoxLossKind } from './boxLosses.js';

/** `train` of every detector. */
export const boxTraining = {
  classWeights,
  hardNegatives: z
    .number()
    .positive()
    .default(3)
    .describe(
      'Background anchors per matched anchor that enter the loss, hardest first. Only with `model.classLoss: softmax`.',
    ),
  focal: z
    .strictObject({
      alpha: fraction.default(0.25).describe('Weight of the positive anchors; the negative ones weigh 1 − alpha.'),
      gamma: z
        .number()
        .refine((gamma) => gamma === 0 || gamma >= 1) // between 0 and 1 the gradient is infinite at p = 1
        .default(2)
        .meta({
          description: 'How much easy anchors are played down; 0 is plain cross-entropy.',
          expects: '0, or a number, at least 1',
        }),
    })
    .prefault({})
    .describe('Focal loss (Lin et al. 2017, arXiv:1708.02002). Only with `model.classLoss: sigmoid`.'),
};

/** `evaluate` of every detector: which of the predicted boxes are detections. */
export const selection = {
  scoreThreshold: fraction.default(0.001).describe('Detections that score less are left out.'),
  candidates: count.default(400).describe('Most boxes of a class that enter the suppression of overlaps, best first.'),
  nms: z
    .enum(['hard', 'softLinear', 'softGaussian'])
    .default('hard')
    .describe(
      'What happens to a detection that overlaps a better one of its class. `hard`: it is left out. `softLinear`, `softGaussian`: its score falls with the overlap (Bodla et al. 2017, arXiv:1704.04503), which keeps objects that hide each other.',
    ),
  nmsThreshold: fraction
    .default(0.6)
    .describe(
      'A detection that overlaps a better one of its class by a larger IoU is left out, or falls. Not with `nms: softGaussian`.',
    ),
  maxDetections: count.default(100).describe('Most detections per image, best first.'),
};

export type SelectOptions = Readonly<z.output<z.ZodObject<typeof selection>>> & { readonly numClasses: number };

/** `model` of heads on a feature pyramid. */
export const pyramid = {
  neck: z
    .enum(['fpn', 'balanced'])
    .default('fpn')
    .describe(
      '`fpn`: a feature pyramid (Lin et al. 2017, arXiv:1612.03144). `balanced`: with all levels refined together behind it (Libra R-CNN, Pang et al. 2019, arXiv:1904.02701, §3.2); it wants `data.size` in multiples of its coarsest stride.',
    ),
  channels: count.default(256).describe("Channels of the pyramid's levels and of the head."),
};

/** `model.boxLoss` with the default of a head. */
export const boxLossOption = (usual: BoxLossKind) =>
  z
    .enum(BOX_LOSSES)
    .default(usual)
    .describe(
      'How predicted boxes are compared with the truth. By offsets: `l1`, `smoothL1`, `balancedL1` (Libra R-CNN, arXiv:1904.02701). By overlap: `giou` (arXiv:1902.09630), `diou` (arXiv:1911.08287).',
    );
