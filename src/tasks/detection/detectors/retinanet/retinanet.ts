import * as b from '../../../../graph/builder.js';
import { anchorRule, fromAnchors } from '../../../decoding.js';
import { placeAnchors } from '../../anchors.js';
import { LARGEST_LOG_SIZE } from '../../boxCoder.js';
import { anchorBoxesInGraph } from '../../decodeInGraph.js';
import { defineDetector } from '../../defineDetector.js';
import { gridLevels } from '../../gridAnchors.js';
import { retinaNetCriterion, THRESHOLDS } from './criterion.js';
import { CANDIDATES, retinaNetDecoder, SCALE } from './decode.js';
import { retinaNetNetwork } from './network.js';
import { options } from './options.js';

/** Three sizes an octave and three aspect ratios: Lin et al. 2017 (arXiv:1708.02002), section 4. */
const OCTAVE = [1, 2 ** (1 / 3), 2 ** (2 / 3)];
const RATIOS = [0.5, 1, 2];
const ANCHORS = OCTAVE.length * RATIOS.length;

/** RetinaNet: dense predictions on a feature pyramid, learnt with the focal loss. Lin et al. 2017 (arXiv:1708.02002);
 *  anchors, matching, loss and post-processing are those of torchvision. */
export const retinanet = defineDetector({
  name: 'retinanet',
  description:
    'RetinaNet, with dense predictions on a feature pyramid, learnt with the focal loss (Lin et al. 2017, arXiv:1708.02002).',
  options,
  trainingOptions: ['boxLoss'],
  anchorOption: 'anchorScale',
  sizeMultiple: ({ neck }) => (neck === 'balanced' ? 128 : 32),
  idle: () => [
    ['train.hardNegatives', 'model.head: retinanet', 'model.head: ssdlite'],
    ['evaluate.candidates', 'model.head: retinanet', 'model.head: ssdlite'],
  ],
  create(asked) {
    const { size } = asked;
    const network = retinaNetNetwork(asked, { batch: 1, size, trainBatchNorm: () => false }, ANCHORS);
    const grids = network.levels.map(({ map, stride }) => {
      const sides = OCTAVE.map((factor) => Math.trunc(asked.anchorScale * stride * factor));
      return { height: map.shape[1]!, width: map.shape[2]!, sides, ratios: RATIOS };
    });
    const levels = gridLevels(grids, size);
    const anchors = placeAnchors(levels);
    const { loss, ...criterion } = retinaNetCriterion(anchors, asked);
    return {
      background: false,
      anchors: { levels, threshold: THRESHOLDS.foreground },
      build(build) {
        const { image, predictions } = retinaNetNetwork(asked, build, ANCHORS);
        return { image, outputs: { ...predictions }, loss: (how) => loss(predictions, how) };
      },
      ...criterion,
      decoding: {
        outputs: {
          boxes: '[1, A, 4]: offsets of the x and y of the centre, the width and the height from each anchor',
          logits: '[1, A, K]: the logit of each class',
        },
        scores: 'sigmoid',
        boxes: fromAnchors(),
        anchors: anchorRule(levels),
        boxCoder: { ...SCALE, largestLogSize: LARGEST_LOG_SIZE },
        candidates: `of each level, the ${CANDIDATES} best pairs of anchor and class above the least score`,
        suppresses: true,
      },
      decode: retinaNetDecoder(
        anchors,
        grids.map(({ height, width }) => height * width * ANCHORS),
        asked,
      ),
      decodeInGraph: ({ boxes, logits }) => ({
        boxes: anchorBoxesInGraph(boxes!, anchors, SCALE, size),
        scores: b.sigmoid(logits!),
      }),
    };
  },
});
