import type { ClassIndex, Sample } from '../../../data/sample.js';
import { FinetuneError } from '../../../errors.js';
import { clipBoxes, cxcywhToXyxy, xyxy, xyxyToCxcywh } from '../../../geometry/box.js';
import type { Context } from '../../../graph/blocks.js';
import * as b from '../../../graph/builder.js';
import type { Graph, Value } from '../../../graph/spec.js';
import { buildTrunk, type Build } from '../../../models/detector.js';
import { boxHead } from '../../../models/heads/boxHead.js';
import { roiAlign } from '../../../models/heads/roiAlign.js';
import { rpnHead } from '../../../models/heads/rpn.js';
import type { PyramidLevel } from '../../../models/necks/pyramid.js';
import { buildPyramid, type PyramidOptions } from '../../../models/necks/pyramids.js';
import { placeAnchors } from '../anchors.js';
import { decodeBoxes, encodeMatches, type CoderScale } from '../boxCoder.js';
import type { BoxLossKind } from '../boxLosses.js';
import { gridLevels } from '../gridAnchors.js';
import { BACKGROUND, IGNORED } from '../matcher.js';
import { suppressPerClass, type Candidate } from '../nms.js';
import type { Built, Losses, LossOptions, Targets } from '../../task.js';
import { matchByThresholds } from '../thresholdMatcher.js';
import { assignProposals } from '../twoStage/assign.js';
import { boxHeadLoss, rpnLoss } from '../twoStage/losses.js';
import { seedOf } from '../../seed.js';
import { chooseProposals, RPN_SCALE, type Proposals } from '../twoStage/proposals.js';
import { sampleOrder } from '../twoStage/sampling.js';
import type { Detector, DetectorOptions } from '../detector.js';

export interface FasterRcnnOptions extends DetectorOptions, PyramidOptions {
  readonly head: 'fasterRcnn';
  /** Side of a level's square anchor, in strides: 8 is 32 pixels at stride 4. */
  readonly anchorScale: number;
  readonly boxLoss: BoxLossKind;
  /** Most proposals of an image; training considers twice as many. */
  readonly proposals: number;
  /** Proposals of an image that the second stage learns from. */
  readonly sampledBoxes: number;
  /** Which negatives are drawn: any, or evenly over their IoU. */
  readonly sampling: 'random' | 'iouBalanced';
  /** Units of the box head's hidden layers. */
  readonly units: number;
}

const RATIOS = [0.5, 1, 2];
/** An anchor is an object from 0.7 on, background below 0.3: Ren et al. 2015 (arXiv:1506.01497), section 3.1.2. */
const THRESHOLDS = { foreground: 0.7, background: 0.3 };
/** IoU from which on a proposal is its object's. */
const MATCH_IOU = 0.5;
const RPN_SAMPLE = { count: 256, positive: 0.5 };
const POSITIVE_SHARE = 0.25;
const SCALE: CoderScale = { centre: 10, size: 5 };
/** Pixels: a detection is at least this wide and high. */
const LEAST_SIDE = 1e-2;
/** Objects of an image that fit into a batch. */
const MOST_OBJECTS = 256;
/** Labels of anchors: 1 an object, 0 background, and this what is not to be learnt. */
const UNLEARNT = -1;

/** The pyramid that the second stage reads, in training and in inference. */
interface Inside {
  readonly levels: readonly PyramidLevel[];
  readonly at: Context;
}

/** Faster R-CNN on a feature pyramid: proposals, RoIAlign, two hidden layers. Ren et al. 2015 (arXiv:1506.01497), Lin et al. 2017
 *  (arXiv:1612.03144); anchors, matching, losses and post-processing are torchvision's. */
export function fasterRcnn(options: FasterRcnnOptions): Detector {
  const { size, numClasses } = options;
  const columns = numClasses + 1;

  /** Features of boxes [N,R,4] → the box head's predictions, [N·R,…]. The coarsest level serves proposals alone. */
  function classify(boxes: Value, { levels, at }: Inside): ReturnType<typeof boxHead> {
    const [n, rows] = boxes.shape as [number, number];
    const image = Array.from({ length: n * rows }, (_, i) => Math.floor(i / rows));
    const index = b.constant(boxes.node.graph, image, [n * rows], 'int32');
    const features = roiAlign(levels.slice(0, -1), b.reshape(boxes, [n * rows, 4]), index);
    return boxHead(features, at, { units: options.units, columns });
  }

  function trunk(
    build: Build,
  ): Inside & { readonly image: Value; readonly objectness: Value; readonly offsets: Value } {
    const { image, taps, at } = buildTrunk(options.backbone, build);
    const levels = buildPyramid(taps, at, options, { finest: 4, extra: 'pool' });
    return { image, levels, at, ...rpnHead(levels, at, { anchors: RATIOS.length }) };
  }

  const { levels } = trunk({ batch: 1, size, trainBatchNorm: () => false });
  const grids = levels.map(({ map, stride }) => ({
    height: map.shape[1]!,
    width: map.shape[2]!,
    sides: [options.anchorScale * stride],
    ratios: RATIOS,
  }));
  const lengths = grids.map(({ height, width }) => height * width * RATIOS.length);
  const anchorLevels = gridLevels(grids, size);
  const anchors = placeAnchors(anchorLevels);
  const corners = cxcywhToXyxy(anchors);
  const count = corners.length / 4;
  const propose = (objectness: Value, offsets: Value, most: number): Proposals =>
    chooseProposals(objectness, offsets, anchors, lengths, { perLevel: most, total: most, size });

  function build(asked: Build): Built {
    const { image, objectness, offsets, ...inside } = trunk(asked);
    const { boxes, valid } = propose(objectness, offsets, options.proposals);
    const found = classify(boxes, inside);
    const [n, rows] = boxes.shape as [number, number];
    return {
      image,
      outputs: {
        proposals: boxes,
        valid,
        logits: b.reshape(found.logits, [n, rows, columns]),
        boxes: b.reshape(found.offsets, [n, rows, 4, columns]),
        objectness,
        anchorOffsets: offsets,
      },
      loss: (options) => loss({ objectness, offsets }, inside, options),
    };
  }

  function loss(
    { objectness, offsets }: ReturnType<typeof rpnHead>,
    inside: Inside,
    { training = false }: LossOptions = {},
  ): Losses {
    const { graph } = objectness.node;
    const [n] = objectness.shape as [number];
    const labels = b.input(graph, 'anchorLabels', [n, count], 'int32');
    const targets = b.input(graph, 'anchorTargets', [n, count, 4]);
    const truth = {
      boxes: b.input(graph, 'truth', [n, MOST_OBJECTS, 4]),
      labels: b.input(graph, 'truthLabels', [n, MOST_OBJECTS], 'int32'),
    };
    const keys = (columns: number, stream: number): Value =>
      training ? b.randomUniform(seedOf(graph), [n, columns], stream) : fixedKeys(graph, n, columns);
    const rpn = rpnLoss({ objectness, offsets, labels, targets, keys: keys(count, 0) }, RPN_SAMPLE);

    const proposals = propose(objectness, offsets, options.proposals * 2);
    const real = b.max(b.cast(b.greaterEqual(labels, 0), 'float32'), [1]);
    const candidates = assignProposals(proposals, truth, { matchIou: MATCH_IOU, real });
    const { positive, negative, overlap } = candidates;
    const balanced = options.sampling === 'iouBalanced' && { overlaps: overlap };
    const order = sampleOrder(
      { positive, negative, keys: keys(positive.shape[1]!, 1), ...balanced },
      { count: options.sampledBoxes, positive: POSITIVE_SHARE, matchIou: MATCH_IOU },
    );
    const [place, rows] = b.topK(order, options.sampledBoxes) as [Value, Value];
    const boxes = b.gather(candidates.boxes, rows);
    const found = classify(boxes, inside);
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
      { kind: options.boxLoss, scale: SCALE, classWeights: training ? options.classWeights : undefined },
    );
    const total = b.add(b.add(rpn.objectness, rpn.offsets), b.add(box.classes, box.offsets));
    return {
      total,
      parts: { proposalScore: rpn.objectness, proposalBox: rpn.offsets, class: box.classes, box: box.offsets },
    };
  }

  function encode({ boxes, classes, ignore, file }: Sample): Targets {
    if (classes.length > MOST_OBJECTS) {
      const message = `the image has ${classes.length} objects; Faster R-CNN learns from at most ${MOST_OBJECTS}`;
      throw new FinetuneError({ code: 'E_BOX_LIMIT', message, where: { file }, fix: 'cut the image into parts' });
    }
    const anchorLabels = new Int32Array(count);
    const matches = matchByThresholds(corners, boxes, ignore, THRESHOLDS);
    for (const [i, match] of matches.entries()) {
      if (match === IGNORED) anchorLabels[i] = UNLEARNT;
      else if (match !== BACKGROUND) anchorLabels[i] = 1;
    }
    const anchorTargets = encodeMatches(matches, boxes, anchors, RPN_SCALE);
    const truth = new Float32Array(MOST_OBJECTS * 4);
    truth.set(boxes);
    const truthLabels = new Int32Array(MOST_OBJECTS);
    truthLabels.set(classes.map((classIndex, i) => (ignore[i] ? UNLEARNT : classIndex + 1)));
    return { anchorLabels, anchorTargets, truth, truthLabels };
  }

  /** The classes of one proposal that score enough, each with its own box. */
  function detections(row: number, outputs: Readonly<Record<string, Float32Array>>): Candidate[] {
    const { proposals, logits, boxes: offsets } = outputs as Record<'proposals' | 'logits' | 'boxes', Float32Array>;
    const own = logits.subarray(row * columns, (row + 1) * columns);
    const largest = Math.max(...own);
    const powers = own.map((logit) => Math.exp(logit - largest));
    const sum = powers.reduce((total, power) => total + power, 0);
    const proposal = xyxyToCxcywh(xyxy(proposals.subarray(row * 4, row * 4 + 4)));
    return Array.from({ length: numClasses }, (_, k) => k as ClassIndex).flatMap((classIndex) => {
      const score = powers[classIndex + 1]! / sum;
      if (score <= options.scoreThreshold) return [];
      const four = [0, 1, 2, 3].map((i) => offsets[(row * 4 + i) * columns + classIndex + 1]!);
      const box = clipBoxes(decodeBoxes(Float32Array.from(four), proposal, SCALE), size);
      const isLarge = Math.min(box[2]! - box[0]!, box[3]! - box[1]!) >= LEAST_SIDE;
      return isLarge ? [{ box, score, classIndex }] : [];
    });
  }

  return {
    background: true,
    anchors: { levels: anchorLevels, threshold: THRESHOLDS.foreground },
    build,
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
      truth: new Float32Array(MOST_OBJECTS * 4),
      truthLabels: new Int32Array(MOST_OBJECTS),
    }),
    decode: (outputs) => {
      const valid = [...outputs.valid!].flatMap((isValid, row) => (isValid ? [row] : []));
      return suppressPerClass(valid.flatMap((row) => detections(row, outputs)), options); // prettier-ignore
    },
  };
}

/** Keys in 0…1 that spread any sample evenly over the rows, the same each time: multiples of the golden ratio. [N,columns]. */
function fixedKeys(graph: Graph, n: number, columns: number): Value {
  const row = Array.from({ length: columns }, (_, i) => (i * GOLDEN_RATIO) % 1);
  return b.broadcastTo(b.constant(graph, row, [1, columns]), [n, columns]);
}

const GOLDEN_RATIO = (Math.sqrt(5) - 1) / 2;
