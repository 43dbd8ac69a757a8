import type { Sample } from '../../../../data/sample.js';
import { cxcywhToXyxy, type Cxcywh } from '../../../../geometry/box.js';
import * as b from '../../../../graph/builder.js';
import type { Graph, Value } from '../../../../graph/spec.js';
import type { Losses, LossOptions, Targets } from '../../../network.js';
import { seedOf } from '../../../seed.js';
import { encodeMatches } from '../../boxCoder.js';
import type { Criterion } from '../../detector.js';
import { BACKGROUND, IGNORED, UNLEARNT } from '../../matcher.js';
import { matchByThresholds } from '../../thresholdMatcher.js';
import { blankTruth, encodeTruth, truthInputs } from '../../truth.js';
import { assignProposals } from './assign.js';
import { SCALE } from './decode.js';
import { boxHeadLoss, rpnLoss } from './losses.js';
import { secondStage, type FirstStage } from './network.js';
import type { FasterRcnnOptions } from './options.js';
import { RPN_SCALE, type Proposals } from './proposals.js';
import { sampleOrder } from './sampling.js';

/** An anchor is an object from 0.7 on, background below 0.3: Ren et al. 2015 (arXiv:1506.01497), section 3.1.2. */
export const THRESHOLDS = { foreground: 0.7, background: 0.3 };
/** Least IoU of a proposal with the object that it belongs to. */
const MATCH_IOU = 0.5;
const RPN_SAMPLE = { count: 256, positive: 0.5 };
const POSITIVE_SHARE = 0.25;
/** Most objects of an image: the number of rows that a batch has for them. */
const MOST_OBJECTS = 256;

/** The losses of both stages, as in torchvision: proposals by cross-entropy and smooth L1 of sampled anchors, the
 *  second stage by cross-entropy and box loss of sampled proposals. anchors [A,4]; `propose` makes so many proposals of
 *  an image. */
export function fasterRcnnCriterion(
  anchors: Cxcywh,
  propose: (stage: FirstStage, most: number) => Proposals,
  options: FasterRcnnOptions,
): Criterion<FirstStage> {
  const corners = cxcywhToXyxy(anchors);
  const count = anchors.length / 4;

  function loss(stage: FirstStage, { training = false, workers }: LossOptions = {}): Losses {
    const { objectness, offsets } = stage;
    const { graph } = objectness.node;
    const [n] = objectness.shape as [number];
    const labels = b.input(graph, 'anchorLabels', [n, count], 'int32');
    const targets = b.input(graph, 'anchorTargets', [n, count, 4]);
    const truth = truthInputs(graph, n, MOST_OBJECTS);
    const keys = (columns: number, stream: number): Value =>
      training ? b.randomUniform(seedOf(graph), [n, columns], stream) : fixedKeys(graph, n, columns);
    const rpn = rpnLoss({ objectness, offsets, labels, targets, keys: keys(count, 0) }, { ...RPN_SAMPLE, workers });

    const proposals = propose(stage, options.proposals * 2);
    const real = b.max(b.cast(b.greaterEqual(labels, 0), 'float32'), [1]);
    const candidates = assignProposals(proposals, truth, { matchIou: MATCH_IOU, real });
    const { positive, negative, overlap } = candidates;
    const balanced = options.sampling === 'iouBalanced' && { overlaps: overlap };
    const order = sampleOrder(
      { positive, negative, keys: keys(positive.shape[1]!, 1), ...balanced },
      { count: options.sampledBoxes, positive: POSITIVE_SHARE, matchIou: MATCH_IOU },
    );
    const [place, rows] = b.topK(order, Math.min(options.sampledBoxes, order.shape[1]!)) as [Value, Value];
    const boxes = b.gather(candidates.boxes, rows);
    const found = secondStage(boxes, stage, options);
    const match = b.gather(candidates.match, rows);
    const box = boxHeadLoss(
      {
        ...found,
        boxes,
        truth: b.gather(truth.boxes, match),
        classes: b.gather(truth.labels, match),
        taken: b.cast(b.greater(place, 0), 'float32'),
        positive: b.gather(positive, rows),
      },
      { kind: options.boxLoss, scale: SCALE, classWeights: training ? options.classWeights : undefined, workers },
    );
    const total = b.add(b.add(rpn.objectness, rpn.offsets), b.add(box.classes, box.offsets));
    return {
      total,
      parts: { proposalScore: rpn.objectness, proposalBox: rpn.offsets, class: box.classes, box: box.offsets },
    };
  }

  function encode(sample: Sample): Targets {
    const { boxes, ignore } = sample;
    const truth = encodeTruth(sample, MOST_OBJECTS);
    const matches = matchByThresholds(corners, boxes, ignore, THRESHOLDS);
    const anchorLabels = matches.map((match) => (match === IGNORED ? UNLEARNT : match === BACKGROUND ? 0 : 1));
    const anchorTargets = encodeMatches(matches, boxes, anchors, RPN_SCALE);
    return { anchorLabels, anchorTargets, ...truth };
  }

  return {
    loss,
    start: {
      part: 'class',
      loss: Math.log(options.numClasses + 1),
      why: 'ln(K + 1)',
      predictor: ['head.box.class.weight'],
    },
    encode,
    blank: () => ({
      anchorLabels: new Int32Array(count).fill(UNLEARNT),
      anchorTargets: new Float32Array(count * 4),
      ...blankTruth(MOST_OBJECTS),
    }),
  };
}

const GOLDEN_RATIO = (Math.sqrt(5) - 1) / 2;

/** Keys in 0…1, multiples of the golden ratio, for a loss without random numbers: they spread any sample evenly over
 *  the rows. [N,columns]. */
function fixedKeys(graph: Graph, n: number, columns: number): Value {
  const row = Array.from({ length: columns }, (_, i) => (i * GOLDEN_RATIO) % 1);
  return b.broadcastTo(b.constant(graph, row, [1, columns]), [n, columns]);
}
