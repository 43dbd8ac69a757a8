import { conv, depthwise, normActivate, type Context } from '../../../../graph/blocks.js';
import * as b from '../../../../graph/builder.js';
import type { Init, Value } from '../../../../graph/spec.js';
import { buildTrunk, type Build } from '../../../../models/detector.js';
import type { PyramidLevel } from '../../../../models/necks/pyramid.js';
import { buildPyramid } from '../../../../models/necks/pyramids.js';
import { PRIOR_BIAS } from '../../../losses.js';
import { LARGEST_LOG_SIZE } from '../../boxCoder.js';
import type { NmsFreeOptions } from './options.js';

/** What one branch predicts for each point: level after level, row after row, cell after cell. */
export interface Branch {
  /** [N,P,classes]. */
  readonly logits: Value;
  /** [N,P,4] Xyxy, in pixels of the input. */
  readonly boxes: Value;
}

export interface NmsFreeNetwork {
  readonly image: Value;
  /** The branch that detections come from: it learns to predict every object at one point alone. */
  readonly oneToOne: Branch;
  /** The branch that teaches backbone and neck: it predicts every object at several points. Only the loss reads it. */
  readonly oneToMany: Branch;
  /** [P,2]: x and y of the points, the centres of the cells, in pixels of the input. */
  readonly points: readonly number[];
}

/** Layers before each predictor. */
const DEPTH = 2;
const NORMAL: Init = { type: 'normal', std: 0.01 };
/** Distance from a point to each side of its box before training, in strides. */
const FIRST_DISTANCE = 2;

/** Backbone, pyramid (strides 8, 16 and 32) and the two branches for one batch and size. */
export function nmsFreeNetwork({ backbone, channels, numClasses }: NmsFreeOptions, build: Build): NmsFreeNetwork {
  const { image, taps, at } = buildTrunk(backbone, build);
  const levels = buildPyramid(taps, at, { neck: 'fpn', channels }, { finest: 8, extra: 'none' });
  const withoutGradient = levels.map(({ map, stride }) => ({ map: b.stopGradient(map), stride }));
  return {
    image,
    oneToOne: branch('head.oneToOne', withoutGradient, at, numClasses),
    oneToMany: branch('head.oneToMany', levels, at, numClasses),
    points: levels.flatMap(centres),
  };
}

/** Centres of the cells of a level, x and y by turns. */
function centres({ map, stride }: PyramidLevel): number[] {
  const [, height, width] = map.shape as [number, number, number];
  return Array.from({ length: height * width }, (_, i) => [
    ((i % width) + 0.5) * stride,
    (Math.floor(i / width) + 0.5) * stride,
  ]).flat();
}

/** Depthwise separable towers, one for classes and one for boxes, with layers of their own for each level as in YOLOv10 (Wang et al. 2024,
 *  arXiv:2405.14458, section 3.2). Parameters `<path>.class.<level>.<i>.…`, `<path>.box.<level>.<i>.…` and their `.predict`. */
function branch(path: string, levels: readonly PyramidLevel[], at: Context, numClasses: number): Branch {
  const predict = (kind: 'class' | 'box', width: number, biasInit: number): Value =>
    b.concat(
      levels.map(({ map }, level) => {
        const own = `${path}.${kind}.${level}`;
        let x = map;
        for (let i = 0; i < DEPTH; i++) x = separable(x, `${own}.${i}`, at);
        const y = conv(x, `${own}.predict`, at, { channels: width, bias: true, init: NORMAL, biasInit });
        const [n, h, w] = y.shape as [number, number, number];
        return b.reshape(y, [n, h * w, width]);
      }),
      1,
    );
  const distances = predict('box', 4, Math.log(FIRST_DISTANCE));
  return { logits: predict('class', numClasses, PRIOR_BIAS), boxes: placeBoxes(distances, levels) };
}

function separable(x: Value, path: string, at: Context): Value {
  const channels = x.shape[3]!;
  const spread = normActivate(depthwise(x, `${path}.conv_dw`, at), `${path}.bn1`, at, 'relu');
  return normActivate(conv(spread, `${path}.conv_pw`, at, { channels }), `${path}.bn2`, at, 'relu');
}

/** Logarithms of the distances from each point to the left, upper, right and lower side of its box, in strides [N,P,4] → boxes [N,P,4]. */
function placeBoxes(logDistances: Value, levels: readonly PyramidLevel[]): Value {
  const { graph } = logDistances.node;
  const strides = levels.flatMap(({ map, stride }) => Array<number>(map.shape[1]! * map.shape[2]!).fill(stride));
  const sides = strides.flatMap((stride) => [-stride, -stride, stride, stride]);
  const points = levels.flatMap(centres);
  const corners = strides.flatMap((_, i) => [points[2 * i]!, points[2 * i + 1]!, points[2 * i]!, points[2 * i + 1]!]);
  const shape = [1, strides.length, 4];
  const distances = b.exp(b.minimum(logDistances, LARGEST_LOG_SIZE));
  return b.add(b.mul(distances, b.constant(graph, sides, shape)), b.constant(graph, corners, shape));
}
