import type { Sample } from '../../../../data/sample.js';
import { cxcywhToXyxy, type Cxcywh } from '../../../../geometry/box.js';
import * as b from '../../../../graph/builder.js';
import type { Value } from '../../../../graph/spec.js';
import { batchTotal, focalLoss, focalStart } from '../../../losses.js';
import type { Losses, LossOptions } from '../../../network.js';
import { rowWeights } from '../../../rowWeights.js';
import { encodeMatches } from '../../boxCoder.js';
import { anchorBoxLoss } from '../../boxLosses.js';
import type { AnchorPredictions, Criterion } from '../../detector.js';
import { labelsOf, UNLEARNT } from '../../matcher.js';
import { matchByThresholds } from '../../thresholdMatcher.js';
import { SCALE } from './decode.js';
import type { RetinaNetOptions } from './options.js';

export const THRESHOLDS = { foreground: 0.5, background: 0.4 };
/** The error at which smoothL1 turns from a square into a line: RetinaNet's own, as in Detectron. */
const BETA = 0.11;

/** The focal loss of the classes and the loss of matched boxes, each over the matches of its image, then the mean over
 *  the images, as in torchvision. Lin et al. 2017 (arXiv:1708.02002), section 3. anchors [A,4]. */
export function retinaNetCriterion(anchors: Cxcywh, options: RetinaNetOptions): Criterion<AnchorPredictions> {
  const { numClasses, classWeights } = options;
  const corners = cxcywhToXyxy(anchors);
  const count = anchors.length / 4;

  function loss(
    { boxes: offsets, logits }: AnchorPredictions,
    { training = false, workers }: LossOptions = {},
  ): Losses {
    const { graph } = offsets.node;
    const [batch] = offsets.shape as [number];
    const labels = b.input(graph, 'labels', [batch, count], 'int32');
    const targets = b.input(graph, 'offsets', [batch, count, 4]);
    const positive = b.cast(b.greater(labels, 0), 'float32');
    const learnt = b.cast(b.greaterEqual(labels, 0), 'float32');
    const matches = b.maximum(b.sum(positive, [1]), 1); // [batch]
    const images = batchTotal(b.sum(b.max(learnt, [1])), workers);
    /** Σ over the anchors of each image / its matches, then the mean over the images. */
    const mean = (perAnchor: Value): Value => b.div(b.sum(b.div(b.sum(perAnchor, [1]), matches)), images);
    const hot = b.oneHot(b.sub(labels, 1), numClasses);
    const focal = b.sum(focalLoss(logits, hot, options.focal), [2]);
    const perAnchor = training && classWeights ? b.mul(focal, rowWeights(b.sub(labels, 1), classWeights)) : focal;
    const boxes = anchorBoxLoss(offsets, targets, anchors, { kind: options.boxLoss, beta: BETA, scale: SCALE });
    const box = mean(b.mul(boxes, positive));
    const classes = mean(b.mul(perAnchor, learnt));
    return { total: b.add(box, classes), parts: { box, class: classes } };
  }

  return {
    loss,
    start: focalStart(options.focal, ['head.class.predict.weight']),
    encode({ boxes, classes, ignore }: Sample) {
      const matches = matchByThresholds(corners, boxes, ignore, THRESHOLDS);
      return { labels: labelsOf(matches, classes), offsets: encodeMatches(matches, boxes, anchors, SCALE) };
    },
    blank: () => ({ labels: new Int32Array(count).fill(UNLEARNT), offsets: new Float32Array(count * 4) }),
  };
}
