import { conv, groupNorm, type Context } from '../../../../graph/blocks.js';
import { concat, relu, reshape } from '../../../../graph/builder.js';
import type { Init, Value } from '../../../../graph/spec.js';
import { buildTrunk, type Build } from '../../../../models/detector.js';
import type { PyramidLevel } from '../../../../models/necks/pyramid.js';
import { buildPyramid } from '../../../../models/necks/pyramids.js';
import { PRIOR_BIAS } from '../../../losses.js';
import type { FcosOptions } from './options.js';

/** What the network predicts for each point: level after level, row after row, cell after cell. */
export interface FcosPredictions {
  /** [N,P,classes]. */
  readonly logits: Value;
  /** [N,P,4]: distances from the point to the left, upper, right and lower side of its box, in strides of its level. */
  readonly distances: Value;
  /** [N,P]. */
  readonly centernessLogits: Value;
}

/** Layers before each predictor. */
const DEPTH = 4;
const GROUPS = 32;
const NORMAL: Init = { type: 'normal', std: 0.01 };

/** Backbone, pyramid and head for one batch and size. Levels finest first. */
export function fcosNetwork(
  options: FcosOptions,
  build: Build,
): { readonly image: Value; readonly predictions: FcosPredictions; readonly levels: readonly PyramidLevel[] } {
  const { image, taps, at } = buildTrunk(options.backbone, build);
  const levels = buildPyramid(taps, at, options, { finest: 8, extra: 'p6p7' });
  return { image, predictions: head(levels, at, options.numClasses), levels };
}

/** The largest number of groups, at most 32, that divides the channels. */
function groupsOf(channels: number): number {
  let groups = Math.min(GROUPS, channels);
  while (channels % groups !== 0) groups--;
  return groups;
}

/** Two towers, one for classes and one for boxes, each the same on all levels. Tian et al. 2019 (arXiv:1904.01355), section 3, as in torchvision:
 *  with GroupNorm after each convolution, with the centerness predicted by the tower of the boxes, and without a learnt scale per level.
 *  Parameters `head.class.conv.<i>`, `.norm.<i>`, `.predict` and `head.box.conv.<i>`, `.norm.<i>`, `.predict`, `.centerness`. */
function head(levels: readonly PyramidLevel[], at: Context, numClasses: number): FcosPredictions {
  const tower = (map: Value, kind: 'class' | 'box'): Value => {
    const channels = map.shape[3]!;
    let x = map;
    for (let i = 0; i < DEPTH; i++) {
      x = conv(x, `head.${kind}.conv.${i}`, at, { channels, kernel: 3, bias: true, init: NORMAL });
      x = relu(groupNorm(x, `head.${kind}.norm.${i}`, at, { groups: groupsOf(channels) }));
    }
    return x;
  };
  const predict = (x: Value, path: string, width: number, biasInit = 0): Value => {
    const y = conv(x, path, at, { channels: width, kernel: 3, bias: true, init: NORMAL, biasInit });
    const [n, h, w] = y.shape as [number, number, number];
    return reshape(y, [n, h * w, width]);
  };
  const parts = levels.map(({ map }) => {
    const [classes, boxes] = [tower(map, 'class'), tower(map, 'box')];
    return {
      logits: predict(classes, 'head.class.predict', numClasses, PRIOR_BIAS),
      distances: relu(predict(boxes, 'head.box.predict', 4)),
      centernessLogits: predict(boxes, 'head.box.centerness', 1),
    };
  });
  const all = (key: keyof FcosPredictions): Value => concat(parts.map((part) => part[key]), 1); // prettier-ignore
  const centerness = all('centernessLogits');
  return {
    logits: all('logits'),
    distances: all('distances'),
    centernessLogits: reshape(centerness, centerness.shape.slice(0, 2)),
  };
}
