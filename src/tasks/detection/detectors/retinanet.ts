import type { ClassIndex, Sample } from '../../../data/sample.js';
import { clipBoxes, cxcywhToXyxy } from '../../../geometry/box.js';
import * as b from '../../../graph/builder.js';
import type { Value } from '../../../graph/spec.js';
import { buildTrunk, type Build } from '../../../models/detector.js';
import type { DetectorOutputs } from '../../../models/heads/multiBox.js';
import { retinaNetHead } from '../../../models/heads/retinanet.js';
import { buildPyramid, type PyramidOptions } from '../../../models/necks/pyramids.js';
import { placeAnchors } from '../anchors.js';
import { decodeBoxes, encodeMatches, type CoderScale } from '../boxCoder.js';
import { boxLoss, type BoxLossKind } from '../boxLosses.js';
import { gridLevels } from '../gridAnchors.js';
import { focalLoss, focalStart } from '../../losses.js';
import { BACKGROUND, IGNORED } from '../matcher.js';
import { suppressPerClass, type Candidate } from '../nms.js';
import { rowWeights } from '../../rowWeights.js';
import type { Losses, LossOptions, Targets } from '../../task.js';
import { matchByThresholds } from '../thresholdMatcher.js';
import type { Detector, DetectorOptions } from '../detector.js';
import { FOCAL_START, PRIOR, PRIOR_BIAS } from './multiBox.js';

export interface RetinaNetOptions extends DetectorOptions, PyramidOptions {
  readonly head: 'retinanet';
  /** Side of the smallest square anchor of a level, in strides: 4 is 32 pixels at stride 8. */
  readonly anchorScale: number;
  readonly boxLoss: BoxLossKind;
}

/** Lin et al. 2017 (arXiv:1708.02002), section 4: three sizes an octave, three proportions. */
const OCTAVE = [1, 2 ** (1 / 3), 2 ** (2 / 3)];
const RATIOS = [0.5, 1, 2];
const THRESHOLDS = { foreground: 0.5, background: 0.4 };
/** Best scores of each level that go into the suppression. */
const CANDIDATES = 1000;
const SCALE: CoderScale = { centre: 1, size: 1 };
/** Of smoothL1: RetinaNet's own, as in Detectron. */
const BETA = 0.11;
/** Labels: 0 is background, k + 1 the class k, and this an anchor that is not to be learnt. */
const UNLEARNT = -1;

interface Scored {
  readonly row: number;
  readonly logit: number;
  readonly classIndex: number;
}

interface RetinaGraph {
  readonly image: Value;
  readonly outputs: DetectorOutputs;
  readonly levels: readonly { readonly height: number; readonly width: number; readonly stride: number }[];
}

/** RetinaNet: dense predictions on a feature pyramid, learnt with the focal loss. Lin et al. 2017 (arXiv:1708.02002); anchors, matching,
 *  loss and post-processing are torchvision's. */
export function retinaNet(options: RetinaNetOptions): Detector {
  const { size, numClasses } = options;
  const network = (build: Build): RetinaGraph => {
    const { image, taps, at } = buildTrunk(options.backbone, build);
    const pyramid = buildPyramid(taps, at, options, { finest: 8, extra: 'p6p7' });
    const anchors = OCTAVE.length * RATIOS.length;
    const outputs = retinaNetHead(pyramid, at, { numClasses, anchors, classBias: PRIOR_BIAS });
    const levels = pyramid.map(({ map, stride }) => ({ height: map.shape[1]!, width: map.shape[2]!, stride }));
    return { image, outputs, levels };
  };
  const { levels } = network({ batch: 1, size, trainBatchNorm: () => false });
  const grids = levels.map(({ height, width, stride }) => {
    const sides = OCTAVE.map((factor) => Math.trunc(options.anchorScale * stride * factor));
    return { height, width, sides, ratios: RATIOS };
  });
  const anchorLevels = gridLevels(grids, size);
  const anchors = placeAnchors(anchorLevels);
  const corners = cxcywhToXyxy(anchors);
  const count = corners.length / 4;

  function loss({ boxes: offsets, logits }: DetectorOutputs, { training = false }: LossOptions = {}): Losses {
    const { graph } = offsets.node;
    const [batch] = offsets.shape as [number];
    const labels = b.input(graph, 'labels', [batch, count], 'int32');
    const targets = b.input(graph, 'offsets', [batch, count, 4]);
    const positive = b.cast(b.greater(labels, 0), 'float32');
    const learnt = b.cast(b.greaterEqual(labels, 0), 'float32');
    const matches = b.maximum(b.sum(positive, [1]), 1); // [batch]
    const images = b.maximum(b.sum(b.max(learnt, [1])), 1);
    /** Σ over each image's anchors / its matches, then the mean over images. */
    const mean = (perAnchor: Value): Value => b.div(b.sum(b.div(b.sum(perAnchor, [1]), matches)), images);
    const hot = b.oneHot(b.sub(labels, 1), numClasses);
    const focal = b.sum(focalLoss(logits, hot, options.focal), [2]);
    const { classWeights } = options;
    const perAnchor = training && classWeights ? b.mul(focal, rowWeights(b.sub(labels, 1), classWeights)) : focal;
    const rows = batch * count;
    const repeated = b.broadcastTo(b.constant(graph, [...anchors], [1, count, 4]), [batch, count, 4]);
    const perBox = boxLoss(
      b.reshape(offsets, [rows, 4]),
      b.reshape(targets, [rows, 4]),
      b.reshape(repeated, [rows, 4]),
      { kind: options.boxLoss, beta: BETA, scale: SCALE },
    );
    const box = mean(b.mul(b.reshape(perBox, [batch, count]), positive));
    const classes = mean(b.mul(perAnchor, learnt));
    return { total: b.add(box, classes), parts: { box, class: classes } };
  }

  function encode({ boxes: truth, classes, ignore }: Sample): Targets {
    const matches = matchByThresholds(corners, truth, ignore, THRESHOLDS);
    const labels = new Int32Array(count);
    for (const [i, match] of matches.entries()) {
      if (match === IGNORED) labels[i] = UNLEARNT;
      else if (match !== BACKGROUND) labels[i] = classes[match]! + 1;
    }
    return { labels, offsets: encodeMatches(matches, truth, anchors, SCALE) };
  }

  /** The best of one level's scores, every class of an anchor for itself. */
  function candidates(logits: Float32Array, first: number, last: number): Scored[] {
    const least = Math.log(options.scoreThreshold / (1 - options.scoreThreshold));
    const found: Scored[] = [];
    for (let i = first * numClasses; i < last * numClasses; i++) {
      if (logits[i]! > least)
        found.push({ row: Math.floor(i / numClasses), logit: logits[i]!, classIndex: i % numClasses });
    }
    return found.sort((one, other) => other.logit - one.logit).slice(0, CANDIDATES);
  }

  const focal = focalStart(options.focal, PRIOR);
  return {
    background: false,
    anchors: { levels: anchorLevels, threshold: THRESHOLDS.foreground },
    build: (build) => {
      const { image, outputs } = network(build);
      return { image, outputs: { ...outputs }, loss: (asked) => loss(outputs, asked) };
    },
    start: focal === undefined ? undefined : { part: 'class', loss: focal, why: FOCAL_START, predictor: ['head.class.predict.weight'] }, // prettier-ignore
    encode,
    blank: () => ({ labels: new Int32Array(count).fill(UNLEARNT), offsets: new Float32Array(count * 4) }),
    decode: ({ boxes: offsets, logits }) => {
      let first = 0;
      const found = grids.flatMap(({ height, width }) => {
        const start = first;
        first += height * width * OCTAVE.length * RATIOS.length;
        return candidates(logits!, start, first);
      });
      const decoded = found.map(({ row, logit, classIndex }): Candidate => {
        const at = [row * 4, row * 4 + 4] as const;
        const box = decodeBoxes(offsets!.subarray(...at), anchors.subarray(...at) as typeof anchors, SCALE);
        return { box: clipBoxes(box, size), score: 1 / (1 + Math.exp(-logit)), classIndex: classIndex as ClassIndex };
      });
      return suppressPerClass(decoded, options);
    },
  };
}
