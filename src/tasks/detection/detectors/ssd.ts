import { buildTrunk, type Build } from '../../../models/detector.js';
import { ssdHead } from '../../../models/heads/multiBox.js';
import { ssdNeck } from '../../../models/necks/ssdExtras.js';
import { torchvisionShapes, type AnchorShapes } from '../anchors.js';
import type { Detector } from '../detector.js';
import { classColumns, multiBox, type MultiBoxNetwork, type MultiBoxOptions } from './multiBox.js';

export interface SsdOptions extends MultiBoxOptions {
  readonly head: 'ssd';
  readonly anchors: 'torchvision' | AnchorShapes;
}

/** SSD300's anchors as torchvision has them: scales of the six levels and of the one behind, ratios besides 1. Liu et al. 2016, section 3.1. */
const SCALES = [0.07, 0.15, 0.33, 0.51, 0.69, 0.87, 1.05];
const RATIOS = [[2], [2, 3], [2, 3], [2, 3], [2], [2]];
/** Pixels between the cells' centres at 300 × 300, for the last levels more than an even share. */
const STEPS = [8, 16, 32, 64, 100, 300];
const SIDE = 300;

/** SSD on VGG-16. Liu et al. 2016 (arXiv:1512.02325); at 300×300 torchvision's ssd300_vgg16. Throws E_GRAPH_SHAPE for an input too small. */
export function ssd(options: SsdOptions): Detector {
  const shapes = options.anchors === 'torchvision' ? torchvisionShapes(SCALES, RATIOS) : options.anchors;
  const network = (build: Build): MultiBoxNetwork => {
    const { image, taps, at } = buildTrunk(options.backbone, build);
    const maps = ssdNeck(taps, at);
    const levels = maps.map((map, i) => ({ name: String(i), map, anchors: shapes[i]!.length }));
    return { image, outputs: { ...ssdHead(levels, at, classColumns(options)) }, maps };
  };
  const square = options.size.every((side) => side === SIDE);
  return multiBox(network, shapes, options, square ? STEPS : undefined);
}
