import { buildTrunk, type Build } from '../../../models/detector.js';
import { ssdLiteHead } from '../../../models/heads/multiBox.js';
import { ssdLiteNeck } from '../../../models/necks/extras.js';
import { tensorflowShapes, torchvisionLiteShapes, type AnchorShapes } from '../anchors.js';
import type { Detector } from '../detector.js';
import { classColumns, multiBox, type MultiBoxNetwork, type MultiBoxOptions } from './multiBox.js';

export interface SsdLiteOptions extends MultiBoxOptions {
  readonly head: 'ssdlite';
  /** Whose anchors, and in whose order; or own ones. */
  readonly anchors: 'tensorflow' | 'torchvision' | AnchorShapes;
  /** Anchors per cell on the level with the finest grid, of TensorFlow's; the others have 6. */
  readonly lowestLevelAnchors: 3 | 6;
  readonly finestStride: 8 | 16;
}

/** Strides 16 and 32 and four extra levels. */
const LEVELS = 6;

function anchorShapes({ anchors, finestStride, lowestLevelAnchors }: SsdLiteOptions): AnchorShapes {
  if (typeof anchors !== 'string') return anchors;
  const stride8 = finestStride === 8;
  const levels = LEVELS + (stride8 ? 1 : 0);
  return anchors === 'torchvision'
    ? torchvisionLiteShapes({ levels, stride8 })
    : tensorflowShapes({ levels, stride8 }, lowestLevelAnchors);
}

/** SSD-lite: SSD with depthwise convolutions in neck and head. Sandler et al. 2018 (arXiv:1801.04381), section 6.2. */
export function ssdLite(options: SsdLiteOptions): Detector {
  const shapes = anchorShapes(options);
  const { finestStride } = options;
  const network = (build: Build): MultiBoxNetwork => {
    const { image, taps, at } = buildTrunk(options.backbone, build);
    const maps = ssdLiteNeck(finestStride)(taps, at);
    // The level of stride 8 has a name apart, so that the others are called the same with it and without.
    const names = finestStride === 8 ? ['stride8', ...maps.keys()] : [...maps.keys()];
    const levels = maps.map((map, i) => ({ name: String(names[i]), map, anchors: shapes[i]!.length }));
    return { image, outputs: { ...ssdLiteHead(levels, at, classColumns(options)) }, maps };
  };
  return multiBox(network, shapes, options);
}
