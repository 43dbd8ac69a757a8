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
      'Number of background anchors that enter the loss for each matched anchor, hardest first. Only with `model.classLoss: softmax`. Raise it when the background is often taken for an object.',
    )
    .meta({ example: 5 }),
  focal: z
    .strictObject({
      alpha: fraction
        .default(0.25)
        .describe(
          'Weight of the matched anchors; background anchors weigh 1 − alpha. Raise it when objects are missed, lower it when the background is taken for objects.',
        )
        .meta({ example: 0.5 }),
      gamma: z
        .number()
        .refine((gamma) => gamma === 0 || gamma >= 1) // between 0 and 1 the gradient is infinite at p = 1
        .default(2)
        .meta({
          description:
            'How strongly the loss of anchors that are already right is reduced; 0 is plain cross-entropy. Rarely worth changing.',
          example: 1.5,
          expects: '0, or a number, at least 1',
        }),
    })
    .prefault({})
    .describe(
      'The focal loss of the classes (Lin et al. 2017, arXiv:1708.02002). Heads with `classLoss` read it with `sigmoid` alone.',
    ),
};

/** `evaluate` of every detector: which of the predicted boxes are detections. */
export const selection = {
  scoreThreshold: fraction
    .default(0.001)
    .describe(
      'Least score of a detection. AP counts weak detections too, so raise it only to make the evaluation faster.',
    )
    .meta({ example: 0.05 }),
  candidates: count
    .default(400)
    .describe(
      'Most boxes of a class that enter non-maximum suppression, best first. Raise it when images have hundreds of objects of a class.',
    )
    .meta({ example: 1000 }),
  nms: z
    .enum(['hard', 'softLinear', 'softGaussian'])
    .default('hard')
    .describe(
      'What non-maximum suppression does with a detection that overlaps a better one of its class. `hard` drops it. `softLinear` and `softGaussian` lower its score by the overlap (Bodla et al. 2017, arXiv:1704.04503). Choose one of these when objects of a class often hide each other.',
    ),
  nmsThreshold: fraction
    .default(0.6)
    .describe(
      'IoU with a better detection of its class above which a detection is dropped, or loses score with `nms: softLinear`. Not read with `nms: softGaussian`. Lower it when objects are found twice, raise it when neighbouring objects are missed.',
    )
    .meta({ example: 0.5 }),
  maxDetections: count
    .default(100)
    .describe('Most detections of an image, best first. Raise it when images have more objects.')
    .meta({ example: 300 }),
};

export type SelectOptions = Readonly<z.output<z.ZodObject<typeof selection>>> & { readonly numClasses: number };

/** `model` of heads on a feature pyramid. */
export const pyramid = {
  neck: z
    .enum(['fpn', 'balanced'])
    .default('fpn')
    .describe(
      '`fpn` is a feature pyramid (Lin et al. 2017, arXiv:1612.03144). `balanced` refines all its levels together (Libra R-CNN, Pang et al. 2019, arXiv:1904.02701, §3.2); it takes more time, and needs `data.size` in multiples of its coarsest stride. Try it when objects differ much in size.',
    ),
  channels: count
    .default(256)
    .describe(
      'Channels of the levels of the pyramid and of the head. Lower it for a smaller and faster detector; published weights have 256.',
    )
    .meta({ example: 128 }),
};

/** `model.boxLoss` with the default of a head. */
export const boxLossOption = (usual: BoxLossKind) =>
  z
    .enum(BOX_LOSSES)
    .default(usual)
    .describe(
      'How predicted boxes are compared with the truth. `l1`, `smoothL1` and `balancedL1` (Libra R-CNN, arXiv:1904.02701) compare offsets, `giou` (arXiv:1902.09630) and `diou` (arXiv:1911.08287) compare the overlap. Try these two when boxes are found but not tight: AP50 is good and AP75 is not.',
    );
