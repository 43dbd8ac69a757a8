import type { Sample } from '../../../data/sample.js';
import { clipBoxes, cxcywhToXyxy } from '../../../geometry/box.js';
import * as b from '../../../graph/builder.js';
import type { Value } from '../../../graph/spec.js';
import type { Build } from '../../../models/detector.js';
import type { DetectorOutputs } from '../../../models/heads/multiBox.js';
import { cellLevels, placeAnchors, type AnchorShapes } from '../anchors.js';
import { decodeBoxes, encodeMatches, SSD } from '../boxCoder.js';
import { boxLoss, type BoxLossKind } from '../boxLosses.js';
import { focalLoss, focalStart, hardNegatives, softmaxCrossEntropyRows } from '../../losses.js';
import { BACKGROUND, IGNORED, matchAnchors } from '../matcher.js';
import { selectPerClass } from '../nms.js';
import { rowWeights } from '../../rowWeights.js';
import { distilBoxes, oldObjectness } from '../../distillation.js';
import type { Built, Losses, LossOptions, Targets } from '../../task.js';
import type { Detector, DetectorOptions } from '../detector.js';

export interface MultiBoxOptions extends DetectorOptions {
  readonly classLoss: 'sigmoid' | 'softmax';
  readonly boxLoss: BoxLossKind;
}

/** An anchor learns the box it overlaps at least this much. */
const MATCH_IOU = 0.5;
/** Labels: 0 is background, k + 1 the class k, and this an anchor that is not to be learnt. */
const UNLEARNT = -1;
/** Sigmoid classes start at this probability, so that the many background anchors do not drown the first steps.
 *  Lin et al. 2017 (arXiv:1708.02002), section 4.1. */
export const PRIOR = 0.01;
/** Said of focalStart. */
export const FOCAL_START = 'α·(1 − π)^γ·(−ln π), π = 0.01';
export const PRIOR_BIAS = -Math.log((1 - PRIOR) / PRIOR);

/** Columns of the class predictor and the bias it begins with. */
export function classColumns({ numClasses, classLoss }: Pick<MultiBoxOptions, 'numClasses' | 'classLoss'>): {
  readonly columns: number;
  readonly classBias: number;
} {
  if (classLoss === 'softmax') return { columns: numClasses + 1, classBias: 0 };
  return { columns: numClasses, classBias: PRIOR_BIAS };
}

/** A network of the SSD family: outputs `boxes` [N, A, 4] and `logits` [N, A, columns]. */
export interface MultiBoxNetwork extends Omit<Built, 'loss'> {
  readonly outputs: Readonly<Record<keyof DetectorOutputs, Value>>;
  /** The levels' feature maps, finest first. */
  readonly maps: readonly Value[];
}

/** What the heads of the SSD family share: matching, the multi-box loss, NMS per class. Liu et al. 2016 (arXiv:1512.02325).
 *  Anchors lie on the network's maps, evenly or `steps` pixels apart. */
export function multiBox(
  network: (build: Build) => MultiBoxNetwork,
  shapes: AnchorShapes,
  options: MultiBoxOptions,
  steps?: readonly number[],
): Detector {
  const { numClasses, classLoss, size } = options;
  const softmax = classLoss === 'softmax';
  const { maps } = network({ batch: 1, size, trainBatchNorm: () => false });
  const grids = maps.map(({ shape }) => ({ height: shape[1]!, width: shape[2]! }));
  const levels = cellLevels(shapes, grids, size, steps);
  const anchors = placeAnchors(levels);
  const corners = cxcywhToXyxy(anchors);
  const count = anchors.length / 4;
  const { columns } = classColumns(options);

  /** Class loss per anchor [N, A] from logits [N, A, columns] and labels [N, A], before anchors are chosen. */
  function classLosses(logits: Value, labels: Value, training: boolean): Value {
    const perAnchor = unweighted(logits, labels);
    if (!training || !options.classWeights) return perAnchor;
    return b.mul(perAnchor, rowWeights(b.sub(labels, 1), options.classWeights));
  }

  function unweighted(logits: Value, labels: Value): Value {
    const [batch] = logits.shape as [number];
    if (softmax) return softmaxCrossEntropyRows(logits, b.maximum(labels, 0));
    const targets = b.oneHot(b.sub(labels, 1), numClasses); // background and unlearnt: all zeros
    return b.reshape(b.sum(focalLoss(logits, targets, options.focal), [2]), [batch, count]);
  }

  function loss(outputs: MultiBoxNetwork['outputs'], { training = false, old }: LossOptions = {}): Losses {
    const { boxes: offsets, logits } = outputs;
    const { graph } = offsets.node;
    const [batch] = offsets.shape as [number];
    const labels = b.input(graph, 'labels', [batch, count], 'int32');
    const targets = b.input(graph, 'offsets', [batch, count, 4]);
    const positive = b.cast(b.greater(labels, 0), 'float32');
    const objectness = old && oldObjectness(old, softmax);
    const background = b.cast(b.equal(labels, 0), 'float32');
    // What is not annotated because it was known before is no background.
    const negative = old
      ? b.mul(background, b.cast(b.greaterEqual(b.scalar(graph, old.ignoreAbove), objectness!), 'float32'))
      : background;
    const matches = b.maximum(b.sum(positive), 1);
    const perAnchor = classLosses(logits, labels, training);
    const chosen = softmax ? hardNegatives(perAnchor, positive, negative, options.hardNegatives) : negative;
    const rows = batch * count;
    const repeated = b.broadcastTo(b.constant(graph, [...anchors], [1, count, 4]), [batch, count, 4]);
    const [predicted, truth, from] = [offsets, targets, repeated].map((x) => b.reshape(x, [rows, 4])) as [
      Value,
      Value,
      Value,
    ];
    const losses = boxLoss(predicted, truth, from, { kind: options.boxLoss, beta: 1, scale: SSD });
    const boxes = b.reshape(losses, [batch, count]);
    const box = b.div(b.sum(b.mul(boxes, positive)), matches);
    const classes = b.div(b.sum(b.mul(perAnchor, b.add(positive, chosen))), matches);
    const total = b.add(box, classes);
    if (!old || old.weight === 0) return { total, parts: { box, class: classes } };
    const distill = b.mul(distilBoxes(outputs, old, objectness!, softmax), old.weight);
    return { total: b.add(total, distill), parts: { box, class: classes, distill } };
  }

  function encode({ boxes: truth, classes, ignore }: Sample): Targets {
    const matches = matchAnchors(corners, truth, ignore, MATCH_IOU);
    const labels = new Int32Array(count);
    for (const [i, match] of matches.entries()) {
      if (match === IGNORED) labels[i] = UNLEARNT;
      else if (match !== BACKGROUND) labels[i] = classes[match]! + 1;
    }
    return { labels, offsets: encodeMatches(matches, truth, anchors) };
  }

  /** Scores of one class over the anchors of one image; entries below the threshold are 0. */
  function scoresOf(logits: Float32Array, classIndex: number, partition: Float32Array | undefined): Float32Array {
    const scores = new Float32Array(count);
    const column = classIndex + (softmax ? 1 : 0);
    for (let i = 0; i < count; i++) {
      const logit = logits[i * columns + column]!;
      const score = partition ? Math.exp(logit) / partition[i]! : 1 / (1 + Math.exp(-logit));
      if (score > options.scoreThreshold) scores[i] = score;
    }
    return scores;
  }

  const focal = focalStart(options.focal, PRIOR);
  const predictor = ['head.class.*.predict.weight'];
  const start = softmax
    ? { part: 'class', loss: (1 + options.hardNegatives) * Math.log(numClasses + 1), why: '(1 + hardNegatives)·ln(K + 1)', predictor }
    : focal && { part: 'class', loss: focal, why: FOCAL_START, predictor }; // prettier-ignore

  return {
    background: softmax,
    anchors: { levels, threshold: MATCH_IOU },
    build: (build) => {
      const { image, outputs } = network(build);
      return { image, outputs, loss: (asked) => loss(outputs, asked) };
    },
    start: start || undefined,
    encode,
    blank: () => ({ labels: new Int32Array(count).fill(UNLEARNT), offsets: new Float32Array(count * 4) }),
    decode: ({ boxes: offsets, logits }) => {
      const partition = softmax ? rowSums(logits!, columns) : undefined;
      const scores = (classIndex: number): Float32Array => scoresOf(logits!, classIndex, partition);
      return selectPerClass(clipBoxes(decodeBoxes(offsets!, anchors), size), scores, options);
    },
  };
}

/** Σ exp over each row of [rows, columns]. Logits of a trained net stay far from the overflow at 88. */
function rowSums(logits: Float32Array, columns: number): Float32Array {
  const sums = new Float32Array(logits.length / columns);
  for (let i = 0; i < logits.length; i++) sums[Math.floor(i / columns)]! += Math.exp(logits[i]!);
  return sums;
}
