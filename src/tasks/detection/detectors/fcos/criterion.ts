import { rowOf } from '../../../../geometry/box.js';
import type { Sample } from '../../../../data/sample.js';
import * as b from '../../../../graph/builder.js';
import type { Value } from '../../../../graph/spec.js';
import { batchTotal, focalLoss, focalStart } from '../../../losses.js';
import type { Losses, LossOptions } from '../../../network.js';
import { rowWeights } from '../../../rowWeights.js';
import { iouLoss } from '../../boxLosses.js';
import type { Criterion } from '../../detector.js';
import { labelsOf, UNLEARNT } from '../../matcher.js';
import { matchPoints } from '../../pointMatcher.js';
import { encodeDistances, type Points } from '../../points.js';
import type { FcosPredictions } from './network.js';
import type { FcosOptions } from './options.js';

/** Corners of the boxes as seen from their points, in strides; the overlap of boxes of one point is the same. [N,P,4] distances → [N·P,4] Xyxy. */
function fromPoint(distances: Value): Value {
  const signs = b.constant(distances.node.graph, [-1, -1, 1, 1], [4]);
  const [n, p] = distances.shape as [number, number];
  return b.reshape(b.mul(distances, signs), [n * p, 4]);
}

/** 1 for a point at the centre of its box, 0 on its border: √(min(l,r)/max(l,r) · min(t,b)/max(t,b)), from distances [P,4] → [P], 0 for a point
 *  without a box. Tian et al. 2019 (arXiv:1904.01355), eq. 3. */
function centernessOf(distances: Float32Array): Float32Array {
  const share = (one: number, other: number): number => Math.min(one, other) / Math.max(one, other);
  return Float32Array.from({ length: distances.length / 4 }, (_, i) => {
    const [left, top, right, bottom] = rowOf(distances, i);
    return left + right > 0 ? Math.sqrt(share(left, right) * share(top, bottom)) : 0;
  });
}

/** The focal loss of the classes at all points, and at points with a box GIoU and the cross-entropy of the centerness: each is summed over
 *  the batch and divided by the number of points with a box, as in torchvision. Tian et al. 2019 (arXiv:1904.01355), eq. 2. */
export function fcosCriterion(points: Points, options: FcosOptions): Criterion<FcosPredictions> {
  const { numClasses, classWeights, centerRadius: radius } = options;
  const count = points.strides.length;

  function loss(predictions: FcosPredictions, { training = false, workers }: LossOptions = {}): Losses {
    const { logits, distances, centernessLogits } = predictions;
    const { graph } = logits.node;
    const [batch] = logits.shape as [number];
    const labels = b.input(graph, 'labels', [batch, count], 'int32');
    const targets = b.input(graph, 'distances', [batch, count, 4]);
    const centerness = b.input(graph, 'centerness', [batch, count]);
    const positive = b.cast(b.greater(labels, 0), 'float32');
    const learnt = b.cast(b.greaterEqual(labels, 0), 'float32');
    const matches = batchTotal(b.sum(positive), workers);
    /** Σ over the points of `mask` / all matches. */
    const mean = (perPoint: Value, mask: Value): Value => b.div(b.sum(b.mul(perPoint, mask)), matches);
    const hot = b.oneHot(b.sub(labels, 1), numClasses);
    const focal = b.sum(focalLoss(logits, hot, options.focal), [2]);
    const perPoint = training && classWeights ? b.mul(focal, rowWeights(b.sub(labels, 1), classWeights)) : focal;
    const boxes = b.reshape(iouLoss(fromPoint(distances), fromPoint(targets), 'giou'), [batch, count]);
    const entropy = b.sub(b.softplus(centernessLogits), b.mul(centernessLogits, centerness));
    const parts = { box: mean(boxes, positive), class: mean(perPoint, learnt), centerness: mean(entropy, positive) };
    return { total: b.add(b.add(parts.box, parts.class), parts.centerness), parts };
  }

  return {
    loss,
    start: focalStart(options.focal, ['head.class.predict.weight']),
    encode({ boxes, classes, ignore }: Sample) {
      const matches = matchPoints(points, boxes, ignore, { radius });
      const distances = encodeDistances(points, matches, boxes);
      return { labels: labelsOf(matches, classes), distances, centerness: centernessOf(distances) };
    },
    blank: () => ({
      labels: new Int32Array(count).fill(UNLEARNT),
      distances: new Float32Array(count * 4),
      centerness: new Float32Array(count),
    }),
  };
}
