import { z } from 'zod';
import { buildTrunk, type Build } from '../../../../models/detector.js';
import { ssdLiteNeck } from '../../../../models/necks/extras.js';
import { tensorflowShapes, torchvisionLiteShapes, type AnchorShapes } from '../../anchors.js';
import { defineDetector, type HeadOptions } from '../../defineDetector.js';
import type { Detector } from '../../detector.js';
import { classColumns, multiBox, type MultiBoxNetwork } from '../multiBox/multiBox.js';
import { anchorConflicts, anchorsOption, idleLossOption, multiBoxOptions } from '../multiBox/options.js';
import { ssdLitePredictors } from '../multiBox/predictors.js';

const options = z.strictObject({
  ...multiBoxOptions,
  finestStride: z
    .literal([8, 16])
    .default(16)
    .describe(
      'Stride of the finest level: pixels of the input from one of its cells to the next. Choose 8 for small objects: it adds a level before the six that begin with stride 16, and takes more time.',
    ),
  anchors: anchorsOption(['tensorflow', 'torchvision']),
  lowestLevelAnchors: z
    .literal([3, 6])
    .default(3)
    .describe(
      'Anchors of each cell of the finest level; the other levels have 6. Only with `anchors: tensorflow`. Published weights have 3; choose 6 when the smallest objects differ in shape.',
    ),
});

type SsdLiteOptions = HeadOptions<typeof options>;

/** Strides 16 and 32 and four extra levels, with a level of stride 8 before them. */
const levelsOf = (finestStride: 8 | 16): number => (finestStride === 8 ? 7 : 6);

function anchorShapes({ anchors, finestStride, lowestLevelAnchors }: SsdLiteOptions): AnchorShapes {
  if (typeof anchors !== 'string') return anchors;
  const asked = { levels: levelsOf(finestStride), stride8: finestStride === 8 };
  return anchors === 'torchvision' ? torchvisionLiteShapes(asked) : tensorflowShapes(asked, lowestLevelAnchors);
}

function create(asked: SsdLiteOptions): Detector {
  const shapes = anchorShapes(asked);
  const { finestStride } = asked;
  const network = (build: Build): MultiBoxNetwork => {
    const { image, taps, at } = buildTrunk(asked.backbone, build);
    const maps = ssdLiteNeck(finestStride)(taps, at);
    // The level of stride 8 has a name of its own, so that the other levels keep their names with it and without it.
    const names = finestStride === 8 ? ['stride8', ...maps.keys()] : [...maps.keys()];
    const levels = maps.map((map, i) => ({ name: String(names[i]), map, anchors: shapes[i]!.length }));
    return { image, predictions: ssdLitePredictors(levels, at, classColumns(asked)), maps };
  };
  return multiBox(network, shapes, asked);
}

/** SSD-lite: SSD with depthwise convolutions in neck and head. Sandler et al. 2018 (arXiv:1801.04381), section 6.2. */
export const ssdlite = defineDetector({
  name: 'ssdlite',
  description:
    'SSD with depthwise convolutions in neck and head, small and fast (Sandler et al. 2018, arXiv:1801.04381, §6.2).',
  options,
  trainingOptions: ['boxLoss'],
  defaults: { classLoss: 'sigmoid' },
  oneSize: 'has anchors that are shares of one size',
  anchorOption: 'anchors',
  keepsOldClasses: true,
  forSmallObjects: ({ finestStride, anchors }) =>
    finestStride === 16 && typeof anchors === 'string' ? ({ finestStride: 8 } as const) : undefined,
  idle: (model) => [
    idleLossOption(model),
    ...(model.anchors === 'tensorflow'
      ? []
      : [['model.lowestLevelAnchors', 'other anchors', 'model.anchors: tensorflow'] as const]),
  ],
  conflicts: ({ anchors, finestStride }) => anchorConflicts(anchors, 'ssdlite', levelsOf(finestStride)),
  create,
});
