import { buildTrunk, type Build } from '../../models/detector.js';
import { ssdLiteHead } from '../../models/heads/ssdlite.js';
import { ssdLiteNeck } from '../../models/necks/extras.js';
import { ssdAnchors, type Level } from '../anchors.js';
import type { Built } from '../task.js';
import type { Detector } from './detector.js';
import { classColumns, multiBox, type MultiBoxOptions } from './multiBox.js';

export interface SsdLiteOptions extends MultiBoxOptions {
  readonly head: 'ssdlite';
  /** Anchors per cell on the level with the finest grid; the others have 6. */
  readonly lowestLevelAnchors: 3 | 6;
}

const ANCHORS = 6;

/** SSD-lite: SSD with depthwise convolutions in neck and head. Sandler et al. 2018 (arXiv:1801.04381), section 6.2. */
export function ssdLite(options: SsdLiteOptions): Detector {
  const network = (build: Build): Built & { readonly levels: readonly Level[] } => {
    const { image, taps, at } = buildTrunk(options.backbone, build);
    const maps = ssdLiteNeck(taps, at);
    const anchors = maps.map((_, i) => (i === 0 ? options.lowestLevelAnchors : ANCHORS));
    const outputs = { ...ssdLiteHead(maps, at, { ...classColumns(options), anchors }) };
    const levels = maps.map(({ shape }, i) => ({ height: shape[1]!, width: shape[2]!, anchors: anchors[i]! }));
    return { image, outputs, levels };
  };
  const { levels } = network({ batch: 1, size: options.size, trainBatchNorm: () => false });
  return multiBox(network, ssdAnchors(levels, options.size), options);
}
