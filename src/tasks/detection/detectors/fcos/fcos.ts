import { defineDetector } from '../../defineDetector.js';
import { placePoints } from '../../points.js';
import { fcosCriterion } from './criterion.js';
import { CANDIDATES, fcosDecoder } from './decode.js';
import { fcosBoxes } from './decodeInGraph.js';
import { fcosNetwork } from './network.js';
import { options } from './options.js';

/** FCOS: predictions on a feature pyramid without anchors, each the distances from a point to the sides of its box. Tian et al. 2019
 *  (arXiv:1904.01355); points, matching, loss and post-processing are those of torchvision. */
export const fcos = defineDetector({
  name: 'fcos',
  description: 'Dense predictions on a feature pyramid, without anchors (Tian et al. 2019, arXiv:1904.01355).',
  options,
  trainingOptions: ['centerRadius'],
  defaults: { scoreThreshold: 0.2 }, // torchvision's; the score is the geometric mean of two probabilities
  sizeMultiple: ({ neck }) => (neck === 'balanced' ? 128 : 32),
  idle: () => [
    ['train.hardNegatives', 'model.head: fcos', 'model.head: ssdlite'],
    ['evaluate.candidates', 'model.head: fcos', 'model.head: ssdlite'],
  ],
  create(asked) {
    const { size } = asked;
    const { levels } = fcosNetwork(asked, { batch: 1, size, trainBatchNorm: () => false });
    const grids = levels.map(({ map, stride }) => ({ height: map.shape[1]!, width: map.shape[2]!, stride }));
    const points = placePoints(grids, size);
    const { loss, ...criterion } = fcosCriterion(points, asked);
    return {
      background: false,
      build(build) {
        const { image, predictions } = fcosNetwork(asked, build);
        return { image, outputs: { ...predictions }, loss: (how) => loss(predictions, how) };
      },
      ...criterion,
      decoding: {
        outputs: {
          logits: '[1, A, K]: the logit of each class',
          distances: '[1, A, 4]: from each point to the left, upper, right and lower side of its box, in strides',
          centernessLogits: '[1, A]: the logit of how central the point is in its box',
        },
        scores: '√(sigmoid(logit) · sigmoid(centernessLogit))',
        boxes: '[x − left · stride, y − top · stride, x + right · stride, y + bottom · stride], limited to the input',
        points: {
          rule: 'level after level, row after row, cell after cell: (column · ⌊input width / width⌋, row · ⌊input height / height⌋)',
          levels: grids,
        },
        candidates: `of each level, the ${CANDIDATES} best pairs of point and class above the least score`,
        suppresses: true,
      },
      decode: fcosDecoder(points, asked),
      decodeInGraph: (outputs) => fcosBoxes(outputs, points, size),
    };
  },
});
