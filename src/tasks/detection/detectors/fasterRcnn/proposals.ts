import type { Cxcywh } from '../../../../geometry/box.js';
import * as b from '../../../../graph/builder.js';
import type { Value } from '../../../../graph/spec.js';
import type { CoderScale } from '../../boxCoder.js';
import { ranks } from '../../../ranks.js';
import { decodeOffsets } from '../../boxLosses.js';

export interface ProposalOptions {
  /** Number of anchors that are decoded on each level, best first. */
  readonly perLevel: number;
  /** Most proposals of an image. */
  readonly total: number;
  /** Height and width of the input, in pixels. */
  readonly size: readonly [number, number];
}

/** Candidate boxes of each image, best first. */
export interface Proposals {
  /** [N,P,4] Xyxy, in pixels of the input, limited to it. */
  readonly boxes: Value;
  /** [N,P]: 1 for a proposal, 0 for a padding row. */
  readonly valid: Value;
}

/** A proposal that overlaps a better one of its level by a larger IoU is left out. */
const NMS_THRESHOLD = 0.7;
/** Least width and height of a proposal, in pixels. */
const LEAST_SIDE = 1e-3;
/** The score of padding rows, lower than any logit. */
const NONE = -1e9;
export const RPN_SCALE: CoderScale = { centre: 1, size: 1 };

/** 1 where both sides of boxes [N,K,4] reach LEAST_SIDE, else 0: [N,K]. */
function largeEnough(boxes: Value): Value {
  const [n, k] = boxes.shape as [number, number];
  const sides = b.sub(b.slice(boxes, [0, 0, 2], [n, k, 2]), b.slice(boxes, [0, 0, 0], [n, k, 2]));
  return b.sub(
    b.scalar(boxes.node.graph, 1),
    b.max(b.cast(b.greater(b.scalar(boxes.node.graph, LEAST_SIDE), sides), 'float32'), [2]),
  );
}

/** scores where mask is 1, NONE where it is 0. */
const masked = (scores: Value, mask: Value): Value =>
  b.add(b.mul(scores, mask), b.mul(b.sub(b.scalar(mask.node.graph, 1), mask), NONE));

/** Chooses boxes from the output of a region proposal network, as torchvision does: the best anchors of each level are
 *  decoded, limited to the image and suppressed within the level; then the best of all levels are taken. objectness
 *  [N,A], offsets [N,A,4], anchors [A,4]; `lengths`: the number of anchors of each level. Everything happens in the
 *  graph, so that the features of the proposals need no second call; no gradient passes. */
export function chooseProposals(
  objectness: Value,
  offsets: Value,
  anchors: Cxcywh,
  lengths: readonly number[],
  { perLevel, total, size: [height, width] }: ProposalOptions,
): Proposals {
  const { graph } = objectness.node;
  const [n] = objectness.shape as [number];
  const edge = b.constant(graph, [width, height, width, height], [4]);
  let start = 0;
  const levels = lengths.map((length) => {
    const [first, k] = [start, Math.min(perLevel, length)];
    start += length;
    const [logits, rows] = b.topK(b.stopGradient(b.slice(objectness, [0, first], [n, length])), k) as [Value, Value];
    const own = b.constant(graph, [...anchors.subarray(first * 4, start * 4)], [1, length, 4]);
    const chosenAnchors = b.gather(b.broadcastTo(own, [n, length, 4]), rows);
    const chosenOffsets = b.gather(b.stopGradient(b.slice(offsets, [0, first, 0], [n, length, 4])), rows);
    const decoded = decodeOffsets(chosenOffsets, chosenAnchors, RPN_SCALE);
    const boxes = b.minimum(b.maximum(decoded, 0), edge);
    const scores = masked(logits, largeEnough(boxes));
    const limit = Math.min(k, total);
    const [kept, count] = b.nonMaxSuppression(boxes, scores, { threshold: NMS_THRESHOLD, limit }) as [Value, Value];
    const padding = b.greaterEqual(ranks(graph, limit), b.reshape(b.cast(count, 'float32'), [n, 1]));
    const isKept = b.sub(b.scalar(graph, 1), b.cast(padding, 'float32'));
    return { boxes: b.gather(boxes, kept), scores: masked(b.gather(scores, kept), isKept) };
  });
  const ofAllLevels = (values: readonly Value[]): Value => b.concat(values, 1);
  const scores = ofAllLevels(levels.map((level) => level.scores));
  const boxes = ofAllLevels(levels.map((level) => level.boxes));
  const [best, rows] = b.topK(scores, Math.min(total, scores.shape[1]!)) as [Value, Value];
  return { boxes: b.gather(boxes, rows), valid: b.cast(b.greater(best, NONE / 2), 'float32') };
}
