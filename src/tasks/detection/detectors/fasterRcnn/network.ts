import type { Context } from '../../../../graph/blocks.js';
import * as b from '../../../../graph/builder.js';
import type { Value } from '../../../../graph/spec.js';
import { buildTrunk, type Build } from '../../../../models/detector.js';
import type { PyramidLevel } from '../../../../models/necks/pyramid.js';
import { buildPyramid } from '../../../../models/necks/pyramids.js';
import { boxHead, type BoxPredictions } from './boxHead.js';
import type { FasterRcnnOptions } from './options.js';
import { roiAlign } from './roiAlign.js';
import { rpnHead } from './rpn.js';

/** Aspect ratios of the anchors of each cell. */
export const RATIOS = [0.5, 1, 2];

/** The pyramid that the second stage reads, in training and in inference. */
export interface Features {
  readonly levels: readonly PyramidLevel[];
  readonly at: Context;
}

/** The first stage, and the features that the second one needs. */
export interface FirstStage extends Features {
  readonly image: Value;
  /** Logits [N,A]. */
  readonly objectness: Value;
  /** [N,A,4], from the anchors. */
  readonly offsets: Value;
}

/** Backbone, pyramid and region proposal network for one batch and size. */
export function firstStage(options: FasterRcnnOptions, build: Build): FirstStage {
  const { image, taps, at } = buildTrunk(options.backbone, build);
  const levels = buildPyramid(taps, at, options, { finest: 4, extra: 'pool' });
  return { image, levels, at, ...rpnHead(levels, at, { anchors: RATIOS.length }) };
}

/** The second stage: what the box head says about boxes [N,R,4]. Rows of the predictions: N·R. The coarsest level
 *  serves proposals alone. */
export function secondStage(
  boxes: Value,
  { levels, at }: Features,
  { units, numClasses }: FasterRcnnOptions,
): BoxPredictions {
  const [n, rows] = boxes.shape as [number, number];
  const image = Array.from({ length: n * rows }, (_, i) => Math.floor(i / rows));
  const index = b.constant(boxes.node.graph, image, [n * rows], 'int32');
  const features = roiAlign(levels.slice(0, -1), b.reshape(boxes, [n * rows, 4]), index);
  return boxHead(features, at, { units, columns: numClasses + 1 });
}
