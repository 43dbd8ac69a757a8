import type { Sample } from '../../../../data/sample.js';
import { cxcywhToXyxy, type Cxcywh } from '../../../../geometry/box.js';
import * as b from '../../../../graph/builder.js';
import type { Value } from '../../../../graph/spec.js';
import { distilBoxes, oldObjectness } from '../../../distillation.js';
import { batchTotal, focalLoss, focalStart, hardNegatives, softmaxCrossEntropyRows } from '../../../losses.js';
import type { Losses, LossOptions, StartLoss } from '../../../network.js';
import { rowWeights } from '../../../rowWeights.js';
import { encodeMatches, SSD } from '../../boxCoder.js';
import { anchorBoxLoss } from '../../boxLosses.js';
import type { AnchorPredictions, Criterion } from '../../detector.js';
import { labelsOf, matchAnchors, UNLEARNT } from '../../matcher.js';
import type { MultiBoxOptions } from './options.js';

/** An anchor learns the box that it overlaps by at least this IoU. */
export const MATCH_IOU = 0.5;

/** The multi-box loss: the offsets of matched anchors and the classes of matched and background anchors. Liu et al.
 *  2016 (arXiv:1512.02325), section 2.2; with sigmoid classes the focal loss takes the place of the hard negatives.
 *  anchors [A,4]. */
export function multiBoxCriterion(anchors: Cxcywh, options: MultiBoxOptions): Criterion<AnchorPredictions> {
  const { numClasses } = options;
  const softmax = options.classLoss === 'softmax';
  const corners = cxcywhToXyxy(anchors);
  const count = anchors.length / 4;

  /** Class loss of each anchor [N, A], from logits [N, A, columns] and labels [N, A]. */
  function classLosses(logits: Value, labels: Value, training: boolean): Value {
    const perAnchor = unweighted(logits, labels);
    if (!training || !options.classWeights) return perAnchor;
    return b.mul(perAnchor, rowWeights(b.sub(labels, 1), options.classWeights));
  }

  function unweighted(logits: Value, labels: Value): Value {
    const [batch] = logits.shape as [number];
    if (softmax) return softmaxCrossEntropyRows(logits, b.maximum(labels, 0));
    const targets = b.oneHot(b.sub(labels, 1), numClasses); // all zeros for background and for what is not learnt
    return b.reshape(b.sum(focalLoss(logits, targets, options.focal), [2]), [batch, count]);
  }

  function loss(predictions: AnchorPredictions, { training = false, old, workers }: LossOptions = {}): Losses {
    const { boxes: offsets, logits } = predictions;
    const { graph } = offsets.node;
    const [batch] = offsets.shape as [number];
    const labels = b.input(graph, 'labels', [batch, count], 'int32');
    const targets = b.input(graph, 'offsets', [batch, count, 4]);
    const positive = b.cast(b.greater(labels, 0), 'float32');
    const objectness = old && oldObjectness(old, softmax);
    const background = b.cast(b.equal(labels, 0), 'float32');
    // Objects of old classes are not annotated, so an anchor on which the old model sees one is no background.
    const negative = old
      ? b.mul(background, b.cast(b.greaterEqual(b.scalar(graph, old.ignoreAbove), objectness!), 'float32'))
      : background;
    const matches = batchTotal(b.sum(positive), workers);
    const perAnchor = classLosses(logits, labels, training);
    const chosen = softmax ? hardNegatives(perAnchor, positive, negative, options.hardNegatives) : negative;
    const boxes = anchorBoxLoss(offsets, targets, anchors, { kind: options.boxLoss, beta: 1, scale: SSD });
    const box = b.div(b.sum(b.mul(boxes, positive)), matches);
    const classes = b.div(b.sum(b.mul(perAnchor, b.add(positive, chosen))), matches);
    const total = b.add(box, classes);
    if (!old || old.weight === 0) return { total, parts: { box, class: classes } };
    const distill = b.mul(
      distilBoxes({ boxes: offsets, logits }, old, { objectness: objectness!, softmax, workers }),
      old.weight,
    );
    return { total: b.add(total, distill), parts: { box, class: classes, distill } };
  }

  return {
    loss,
    start: startLoss(options),
    encode({ boxes, classes, ignore }: Sample) {
      const matches = matchAnchors(corners, boxes, ignore, MATCH_IOU);
      return { labels: labelsOf(matches, classes), offsets: encodeMatches(matches, boxes, anchors) };
    },
    blank: () => ({ labels: new Int32Array(count).fill(UNLEARNT), offsets: new Float32Array(count * 4) }),
  };
}

function startLoss({ classLoss, numClasses, focal, hardNegatives: ratio }: MultiBoxOptions): StartLoss | undefined {
  const predictor = ['head.class.*.predict.weight'];
  if (classLoss === 'sigmoid') return focalStart(focal, predictor);
  const loss = (1 + ratio) * Math.log(numClasses + 1);
  return { part: 'class', loss, why: '(1 + hardNegatives)·ln(K + 1)', predictor };
}
