import { z } from 'zod';
import { buildTrunk, type Build } from '../../../../models/detector.js';
import { ssdNeck } from '../../../../models/necks/ssdExtras.js';
import { torchvisionShapes } from '../../anchors.js';
import { defineDetector, type HeadOptions } from '../../defineDetector.js';
import type { Detector } from '../../detector.js';
import { classColumns, multiBox, type MultiBoxNetwork } from '../multiBox/multiBox.js';
import { anchorConflicts, anchorsOption, idleLossOption, multiBoxOptions } from '../multiBox/options.js';
import { ssdPredictors } from '../multiBox/predictors.js';

const options = z.strictObject({ ...multiBoxOptions, anchors: anchorsOption(['torchvision']) });

/** SSD300's anchors as in torchvision: the scales of the six levels and of the one after them, and the aspect ratios
 *  besides 1. Liu et al. 2016 (arXiv:1512.02325), section 3.1. */
const SCALES = [0.07, 0.15, 0.33, 0.51, 0.69, 0.87, 1.05];
const RATIOS = [[2], [2, 3], [2, 3], [2, 3], [2], [2]];
/** Pixels between the centres of the cells at 300 × 300. On the last two levels this is more than an even share of the
 *  input. */
const STEPS = [8, 16, 32, 64, 100, 300];
const SIDE = 300;

function create(asked: HeadOptions<typeof options>): Detector {
  const shapes = asked.anchors === 'torchvision' ? torchvisionShapes(SCALES, RATIOS) : asked.anchors;
  const neck = ssdNeck(typeof asked.backbone === 'string' && asked.backbone.startsWith('vgg'));
  const network = (build: Build): MultiBoxNetwork => {
    const { image, taps, at } = buildTrunk(asked.backbone, build);
    const maps = neck(taps, at);
    const levels = maps.map((map, i) => ({ name: String(i), map, anchors: shapes[i]!.length }));
    return { image, predictions: ssdPredictors(levels, at, classColumns(asked)), maps };
  };
  const isPublishedSize = asked.size.every((side) => side === SIDE);
  return multiBox(network, shapes, asked, isPublishedSize ? STEPS : undefined);
}

/** SSD; on VGG-16 at 300×300 torchvision's ssd300_vgg16. */
export const ssd = defineDetector({
  name: 'ssd',
  description:
    'SSD with dense convolutions on the maps of strides 8 and 16; large and slow. On `vgg16_caffe` at 300×300 it is the published one (Liu et al. 2016, arXiv:1512.02325).',
  options,
  trainingOptions: ['boxLoss'],
  defaults: { size: [SIDE, SIDE] },
  oneSize: 'has anchors that are shares of one size',
  anchorOption: 'anchors',
  keepsOldClasses: true,
  idle: (model) => [idleLossOption(model)],
  conflicts: ({ anchors }) => anchorConflicts(anchors, 'ssd', RATIOS.length),
  create,
});
