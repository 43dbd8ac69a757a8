import * as b from '../../../../graph/builder.js';
import type { Value } from '../../../../graph/spec.js';
import { batchTotal } from '../../../losses.js';
import type { Losses, LossOptions } from '../../../network.js';
import { rowWeights } from '../../../rowWeights.js';
import { iouLoss } from '../../boxLosses.js';
import type { Criterion } from '../../detector.js';
import { blankTruth, encodeTruth, truthInputs } from '../../truth.js';
import { assignPoints, placeObjects, type Scene } from './assign.js';
import type { Branch, NmsFreeNetwork } from './network.js';
import type { NmsFreeOptions } from './options.js';

/** Objects of an image that fit into a batch: the matching compares each with every point. */
const MOST_OBJECTS = 100;
/** Weight of the boxes' loss beside that of the classes: Feng et al. 2021 (arXiv:2108.07755), section 4.1. */
const BOX_WEIGHT = 2;

interface BranchOptions {
  /** Points that learn each object. */
  readonly most: number;
  readonly training: boolean;
  readonly workers: number | undefined;
}

/** The loss of both branches, each over its own assignment. Classes learn the quality of their prediction by a cross-entropy that easy points
 *  enter less, |quality − probability|ᵞ (Li et al. 2020, arXiv:2006.04388, eq. 4), boxes learn by GIoU weighted with the quality; both are divided
 *  by the sum of qualities in the batch. γ is `train.focal.gamma`. */
export function nmsFreeCriterion(options: NmsFreeOptions): Criterion<NmsFreeNetwork> {
  const { numClasses, classWeights, focal, pointsPerObject } = options;

  function branchLoss(branch: Branch, scene: Scene, seen: Value, { most, training, workers }: BranchOptions) {
    const { logits, boxes } = branch;
    const [n, p] = logits.shape as [number, number];
    const { truth, inIgnored } = scene;
    const { positive, match, quality } = assignPoints(branch, scene, most);
    const classes = b.sub(b.gather(truth.labels, match), 1);
    const targets = b.mul(b.oneHot(classes, numClasses), b.reshape(quality, [n, p, 1]));
    const entropy = b.sub(b.softplus(logits), b.mul(logits, targets));
    const distance = b.abs(b.sub(targets, b.sigmoid(logits)));
    const perPoint = b.sum(b.mul(b.power(distance, focal.gamma), entropy), [2]);
    const weighted = training && classWeights ? b.mul(perPoint, rowWeights(classes, classWeights)) : perPoint;
    const learnt = b.mul(seen, b.maximum(positive, b.sub(b.scalar(logits.node.graph, 1), inIgnored)));
    const total = batchTotal(b.sum(quality), workers);
    const rows = (x: Value): Value => b.reshape(x, [n * p, 4]);
    const overlaps = b.reshape(iouLoss(rows(boxes), rows(b.gather(truth.boxes, match)), 'giou'), [n, p]);
    return {
      class: b.div(b.sum(b.mul(weighted, learnt)), total),
      box: b.div(b.mul(b.sum(b.mul(overlaps, quality)), BOX_WEIGHT), total),
    };
  }

  return {
    loss({ oneToOne, oneToMany, points }, { training = false, workers }: LossOptions = {}): Losses {
      const { graph } = oneToOne.logits.node;
      const [n] = oneToOne.logits.shape as [number];
      const scene = placeObjects(truthInputs(graph, n, MOST_OBJECTS), points);
      const seen = b.input(graph, 'seen', [n, 1]);
      const one = branchLoss(oneToOne, scene, seen, { most: 1, training, workers });
      const many = branchLoss(oneToMany, scene, seen, { most: pointsPerObject, training, workers });
      const parts = { class: one.class, box: one.box, manyClass: many.class, manyBox: many.box };
      return { total: b.add(b.add(one.class, one.box), b.add(many.class, many.box)), parts };
    },
    encode: (sample) => ({ ...encodeTruth(sample, MOST_OBJECTS), seen: Float32Array.of(1) }),
    blank: () => ({ ...blankTruth(MOST_OBJECTS), seen: Float32Array.of(0) }),
  };
}
