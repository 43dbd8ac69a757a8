import { sigmoid } from '../../../../graph/builder.js';
import { clipInGraph } from '../../decodeInGraph.js';
import { defineDetector } from '../../defineDetector.js';
import { nmsFreeCriterion } from './criterion.js';
import { nmsFreeDecoder } from './decode.js';
import { nmsFreeNetwork } from './network.js';
import { options } from './options.js';

const instead = 'model.head: retinanet';

/** A detector whose boxes need no suppression of overlaps: one branch learns each object at one point, beside a branch that learns it at several
 *  and teaches the backbone. Dual assignments: Wang et al. 2024 (YOLOv10, arXiv:2405.14458), section 3.1. */
export const nmsFree = defineDetector({
  name: 'nmsFree',
  description:
    'Each object is predicted at one point, so that no suppression of overlaps (NMS) follows: consistent dual assignments on a feature pyramid, as in YOLOv10 (Wang et al. 2024, arXiv:2405.14458).',
  options,
  trainingOptions: ['pointsPerObject'],
  idle: () => [
    ['train.hardNegatives', 'model.head: nmsFree', 'model.head: ssdlite'],
    ['train.focal.alpha', 'model.head: nmsFree', instead],
    ['evaluate.candidates', 'model.head: nmsFree', 'model.head: ssdlite'],
    ['evaluate.nms', 'model.head: nmsFree', instead],
    ['evaluate.nmsThreshold', 'model.head: nmsFree', instead],
  ],
  create(asked) {
    const { loss, ...criterion } = nmsFreeCriterion(asked);
    return {
      background: false,
      build(build) {
        const network = nmsFreeNetwork(asked, build);
        return { image: network.image, outputs: { ...network.oneToOne }, loss: (how) => loss(network, how) };
      },
      ...criterion,
      decoding: {
        outputs: {
          logits: '[1, A, K]: the logit of each class',
          boxes: '[1, A, 4]: left, upper, right and lower side of each box, in pixels of the input',
        },
        scores: 'sigmoid',
        boxes: 'the output itself, limited to the input',
        candidates: 'the best pairs of point and class above the least score',
        suppresses: false,
      },
      decode: nmsFreeDecoder(asked),
      decodeInGraph: ({ logits, boxes }) => ({ boxes: clipInGraph(boxes!, asked.size), scores: sigmoid(logits!) }),
    };
  },
});
