import { conv, type Context } from '../../../../graph/blocks.js';
import { concat, relu, reshape } from '../../../../graph/builder.js';
import type { Init, Value } from '../../../../graph/spec.js';
import { buildTrunk, type Build } from '../../../../models/detector.js';
import type { PyramidLevel } from '../../../../models/necks/pyramid.js';
import { buildPyramid } from '../../../../models/necks/pyramids.js';
import { PRIOR_BIAS } from '../../../losses.js';
import type { AnchorPredictions } from '../../detector.js';
import type { RetinaNetOptions } from './options.js';

/** Convolutions before each predictor. */
const DEPTH = 4;
const NORMAL: Init = { type: 'normal', std: 0.01 };
/** The published deviation lets half of the signal through a layer of 256 channels, and almost nothing through four
 *  narrow ones. */
const hiddenInit = (channels: number): Init => (channels >= 256 ? NORMAL : { type: 'kaiming', fan: 'in' });

/** Backbone, pyramid and head for one batch and size, with so many anchors in each cell. Levels finest first. */
export function retinaNetNetwork(
  options: RetinaNetOptions,
  build: Build,
  anchors: number,
): { readonly image: Value; readonly predictions: AnchorPredictions; readonly levels: readonly PyramidLevel[] } {
  const { image, taps, at } = buildTrunk(options.backbone, build);
  const levels = buildPyramid(taps, at, options, { finest: 8, extra: 'p6p7' });
  return { image, predictions: head(levels, at, options.numClasses, anchors), levels };
}

/** RetinaNet's subnets, one for classes and one for boxes, each the same on all levels. Lin et al. 2017
 *  (arXiv:1708.02002), section 4. Parameters `head.class.conv.<i>`, `head.class.predict`, `head.box.conv.<i>`,
 *  `head.box.predict`. */
function head(levels: readonly PyramidLevel[], at: Context, numClasses: number, anchors: number): AnchorPredictions {
  const predict = (kind: 'box' | 'class', width: number, biasInit: number): Value => {
    const parts = levels.map(({ map }) => {
      let x = map;
      for (let i = 0; i < DEPTH; i++) {
        const options = { channels: map.shape[3]!, kernel: 3, bias: true, init: hiddenInit(map.shape[3]!) };
        x = relu(conv(x, `head.${kind}.conv.${i}`, at, options));
      }
      const options = { channels: anchors * width, kernel: 3, bias: true, init: NORMAL, biasInit };
      const y = conv(x, `head.${kind}.predict`, at, options);
      const [n, h, w] = y.shape as [number, number, number];
      return reshape(y, [n, h * w * anchors, width]);
    });
    return concat(parts, 1);
  };
  return { boxes: predict('box', 4, 0), logits: predict('class', numClasses, PRIOR_BIAS) };
}
