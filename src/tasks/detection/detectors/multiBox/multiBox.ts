import * as b from '../../../../graph/builder.js';
import type { Value } from '../../../../graph/spec.js';
import type { Build } from '../../../../models/detector.js';
import { anchorRule, fromAnchors } from '../../../decoding.js';
import { PRIOR_BIAS } from '../../../losses.js';
import { cellLevels, placeAnchors, type AnchorShapes } from '../../anchors.js';
import { LARGEST_LOG_SIZE, SSD } from '../../boxCoder.js';
import { anchorBoxesInGraph, softmaxInGraph } from '../../decodeInGraph.js';
import type { AnchorPredictions, Detector } from '../../detector.js';
import { MATCH_IOU, multiBoxCriterion } from './criterion.js';
import { multiBoxDecoder } from './decode.js';
import type { MultiBoxOptions } from './options.js';
import type { PredictorOptions } from './predictors.js';

/** Columns of the class predictor and its initial bias. */
export function classColumns({ numClasses, classLoss }: MultiBoxOptions): PredictorOptions {
  if (classLoss === 'softmax') return { columns: numClasses + 1, classBias: 0 };
  return { columns: numClasses, classBias: PRIOR_BIAS };
}

export interface MultiBoxNetwork {
  readonly image: Value;
  readonly predictions: AnchorPredictions;
  /** The feature maps of the levels, finest first. */
  readonly maps: readonly Value[];
}

/** What the heads of the SSD family share: matching, the multi-box loss, and NMS for each class. Liu et al. 2016
 *  (arXiv:1512.02325). The cells of a level divide the input evenly, or are `steps` pixels apart, a number for each
 *  level. */
export function multiBox(
  network: (build: Build) => MultiBoxNetwork,
  shapes: AnchorShapes,
  options: MultiBoxOptions,
  steps?: readonly number[],
): Detector {
  const { size } = options;
  const softmax = options.classLoss === 'softmax';
  const { maps } = network({ batch: 1, size, trainBatchNorm: () => false });
  const grids = maps.map(({ shape }) => ({ height: shape[1]!, width: shape[2]! }));
  const levels = cellLevels(shapes, grids, size, steps);
  const anchors = placeAnchors(levels);
  const { loss, ...criterion } = multiBoxCriterion(anchors, options);
  return {
    background: softmax,
    anchors: { levels, threshold: MATCH_IOU },
    build(asked) {
      const { image, predictions } = network(asked);
      return { image, outputs: { ...predictions }, loss: (how) => loss(predictions, how) };
    },
    ...criterion,
    decoding: {
      outputs: {
        boxes: '[1, A, 4]: offsets of the x and y of the centre, the width and the height from each anchor',
        logits: softmax
          ? '[1, A, 1 + K]: logits of the background and of each class'
          : '[1, A, K]: the logit of each class',
      },
      scores: softmax ? 'softmax over the columns; the first one, of the background, is left out' : 'sigmoid',
      boxes: fromAnchors(),
      anchors: anchorRule(levels),
      boxCoder: { ...SSD, largestLogSize: LARGEST_LOG_SIZE },
      candidates: `of each class, the ${options.candidates} best above the least score`,
      suppresses: true,
    },
    decode: multiBoxDecoder(anchors, options),
    decodeInGraph: ({ boxes, logits }) => ({
      boxes: anchorBoxesInGraph(boxes!, anchors, SSD, size),
      scores: softmax ? softmaxInGraph(logits!) : b.sigmoid(logits!),
    }),
  };
}
