import { cxcywhToXyxy, type Xyxy } from '../geometry/box.js';
import type { ClassIndex, Sample } from '../data/sample.js';
import * as b from '../graph/builder.js';
import type { Value } from '../graph/spec.js';
import { buildDetector, type DetectorOptions } from '../models/detector.js';
import { ssdAnchors } from './anchors.js';
import { decodeBoxes, encodeBoxes } from './boxCoder.js';
import { focalLoss, hardNegatives, smoothL1, softmaxCrossEntropyRows, type Focal } from './losses.js';
import { BACKGROUND, IGNORED, matchAnchors } from './matcher.js';
import { nms } from './nms.js';
import type { Losses, Origin, Targets, Task } from './task.js';

export interface Detection {
  readonly imageId: string | number;
  readonly classIndex: ClassIndex;
  /** x1, y1, x2, y2 in pixels of the original image, inside it. */
  readonly box: readonly [number, number, number, number];
  /** 0…1. */
  readonly score: number;
}

export interface DetectionOptions extends DetectorOptions {
  /** Height and width of the input, pixels. */
  readonly size: readonly [number, number];
  readonly focal: Focal;
  /** Background anchors per matched anchor in the softmax loss. */
  readonly hardNegatives: number;
  readonly scoreThreshold: number;
  readonly nmsThreshold: number;
  readonly maxDetections: number;
}

/** An anchor learns the box it overlaps at least this much. */
const MATCH_IOU = 0.5;
/** Labels: 0 is background, k + 1 the class k, and this an anchor that is not to be learnt. */
const UNLEARNT = -1;

/** SSD: anchors, matching, the multi-box loss, NMS per class. Liu et al. 2016 (arXiv:1512.02325). */
export function detectionTask(options: DetectionOptions): Task<Detection> {
  const { size, numClasses, classLoss } = options;
  const softmax = classLoss === 'softmax';
  const evalMode = { batch: 1, size, trainBatchNorm: () => false };
  const anchors = ssdAnchors(buildDetector(options, evalMode).levels, size);
  const corners = cxcywhToXyxy(anchors);
  const count = anchors.length / 4;
  const columns = numClasses + (softmax ? 1 : 0);

  /** Class loss per anchor [N, A] from logits [N, A, columns] and labels [N, A], before anchors are chosen. */
  function classLosses(logits: Value, labels: Value): Value {
    const [batch] = logits.shape as [number];
    if (softmax) return softmaxCrossEntropyRows(logits, b.maximum(labels, 0));
    const targets = b.oneHot(b.sub(labels, 1), numClasses); // background and unlearnt: all zeros
    return b.reshape(b.sum(focalLoss(logits, targets, options.focal), [2]), [batch, count]);
  }

  function loss({ boxes: offsets, logits }: Readonly<Record<string, Value>>): Losses {
    const { graph } = offsets!.node;
    const [batch] = offsets!.shape as [number];
    const labels = b.input(graph, 'labels', [batch, count], 'int32');
    const targets = b.input(graph, 'offsets', [batch, count, 4]);
    const positive = b.cast(b.greater(labels, 0), 'float32');
    const negative = b.cast(b.equal(labels, 0), 'float32');
    const matches = b.maximum(b.sum(positive), 1);
    const perAnchor = classLosses(logits!, labels);
    const chosen = softmax ? hardNegatives(perAnchor, positive, negative, options.hardNegatives) : negative;
    const box = b.div(b.sum(b.mul(b.sum(smoothL1(offsets!, targets), [2]), positive)), matches);
    const classes = b.div(b.sum(b.mul(perAnchor, b.add(positive, chosen))), matches);
    return { total: b.add(box, classes), parts: { box, class: classes } };
  }

  function encode({ boxes: truth, classes, ignore }: Sample): Targets {
    const matches = matchAnchors(corners, truth, ignore, MATCH_IOU);
    const labels = new Int32Array(count);
    const matched = new Float32Array(count * 4) as Xyxy;
    for (const [i, match] of matches.entries()) {
      if (match === IGNORED) labels[i] = UNLEARNT;
      const learnt = match !== IGNORED && match !== BACKGROUND;
      if (learnt) labels[i] = classes[match]! + 1;
      // An anchor without a box encodes itself: offsets of zero, which no loss reads.
      matched.set(learnt ? truth.subarray(match * 4, match * 4 + 4) : corners.subarray(i * 4, i * 4 + 4), i * 4);
    }
    return { labels, offsets: encodeBoxes(matched, anchors) };
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

  function decodeImage(offsets: Float32Array, logits: Float32Array, origin: Origin): Detection[] {
    const decoded = decodeBoxes(offsets, anchors);
    const partition = softmax ? rowSums(logits, columns) : undefined;
    const detections: Detection[] = [];
    for (let classIndex = 0; classIndex < numClasses; classIndex++) {
      const scores = scoresOf(logits, classIndex, partition);
      const order: number[] = [];
      for (let i = 0; i < count; i++) if (scores[i]! > 0) order.push(i);
      order.sort((i, j) => scores[j]! - scores[i]!);
      for (const i of nms(decoded, order, options.nmsThreshold, options.maxDetections)) {
        const box = toOriginal(decoded.subarray(i * 4, i * 4 + 4), origin);
        detections.push({ imageId: origin.imageId, classIndex: classIndex as ClassIndex, box, score: scores[i]! });
      }
    }
    return detections.sort((one, other) => other.score - one.score).slice(0, options.maxDetections);
  }

  return {
    name: 'detection',
    build: ({ batch, trainBatchNorm, size: built }) => {
      const { image, outputs } = buildDetector(options, { batch, size: built, trainBatchNorm });
      return { image, outputs: { ...outputs } };
    },
    loss,
    encode,
    blank: () => ({ labels: new Int32Array(count).fill(UNLEARNT), offsets: new Float32Array(count * 4) }),
    decode: ({ boxes: offsets, logits }, origins) =>
      origins.map((origin, n) =>
        decodeImage(
          offsets!.subarray(n * count * 4, (n + 1) * count * 4),
          logits!.subarray(n * count * columns, (n + 1) * count * columns),
          origin,
        ),
      ),
  };
}

/** Σ exp over each row of [rows, columns]. Logits of a trained net stay far from the overflow at 88. */
function rowSums(logits: Float32Array, columns: number): Float32Array {
  const sums = new Float32Array(logits.length / columns);
  for (let i = 0; i < logits.length; i++) sums[Math.floor(i / columns)]! += Math.exp(logits[i]!);
  return sums;
}

function toOriginal(box: Float32Array, { placement, originalWidth, originalHeight }: Origin): Detection['box'] {
  const { scaleX, scaleY, offsetX, offsetY } = placement;
  const x = (value: number): number => Math.min(Math.max((value - offsetX) / scaleX, 0), originalWidth);
  const y = (value: number): number => Math.min(Math.max((value - offsetY) / scaleY, 0), originalHeight);
  return [x(box[0]!), y(box[1]!), x(box[2]!), y(box[3]!)];
}
