import * as b from '../../../../graph/builder.js';
import { fromAnchors } from '../../../decoding.js';
import { placeAnchors } from '../../anchors.js';
import { LARGEST_LOG_SIZE } from '../../boxCoder.js';
import { defineDetector, type HeadOptions } from '../../defineDetector.js';
import type { Detector } from '../../detector.js';
import { gridLevels } from '../../gridAnchors.js';
import { fasterRcnnCriterion, THRESHOLDS } from './criterion.js';
import { fasterRcnnDecoder, LEAST_SIDE, SCALE } from './decode.js';
import { fasterRcnnBoxes } from './decodeInGraph.js';
import { firstStage, RATIOS, secondStage, type FirstStage } from './network.js';
import { options } from './options.js';
import { chooseProposals, type Proposals } from './proposals.js';

function create(asked: HeadOptions<typeof options>): Detector {
  const { size, numClasses } = asked;
  const pyramid = firstStage(asked, { batch: 1, size, trainBatchNorm: () => false });
  const grids = pyramid.levels.map(({ map, stride }) => ({
    height: map.shape[1]!,
    width: map.shape[2]!,
    sides: [asked.anchorScale * stride],
    ratios: RATIOS,
  }));
  const lengths = grids.map(({ height, width }) => height * width * RATIOS.length);
  const levels = gridLevels(grids, size);
  const anchors = placeAnchors(levels);
  const propose = ({ objectness, offsets }: FirstStage, most: number): Proposals =>
    chooseProposals(objectness, offsets, anchors, lengths, { perLevel: most, total: most, size });
  const { loss, ...criterion } = fasterRcnnCriterion(anchors, propose, asked);
  return {
    background: true,
    anchors: { levels, threshold: THRESHOLDS.foreground },
    build(build) {
      const stage = firstStage(asked, build);
      const { boxes, valid } = propose(stage, asked.proposals);
      const found = secondStage(boxes, stage, asked);
      const [n, rows] = boxes.shape as [number, number];
      return {
        image: stage.image,
        outputs: {
          proposals: boxes,
          valid,
          logits: b.reshape(found.logits, [n, rows, numClasses + 1]),
          boxes: b.reshape(found.offsets, [n, rows, 4, numClasses + 1]),
          objectness: stage.objectness,
          anchorOffsets: stage.offsets,
        },
        loss: (how) => loss(stage, how),
      };
    },
    ...criterion,
    decoding: {
      outputs: {
        proposals: '[1, P, 4]: left, upper, right and lower side of each proposed box, in pixels of the input',
        valid: '[1, P]: 1 for a proposal, 0 for a row that is left over',
        logits: '[1, P, 1 + K]: logits of the background and of each class',
        boxes:
          '[1, P, 4, 1 + K]: offsets of the x and y of the centre, the width and the height from each proposal, for the background and each class',
        objectness: '[1, A]: logits of the first stage; decoding does not read them',
        anchorOffsets: '[1, A, 4]: offsets of the first stage; decoding does not read them',
      },
      scores: 'softmax over the columns; the first one, of the background, is left out',
      boxes: fromAnchors('its proposal'),
      boxCoder: { ...SCALE, largestLogSize: LARGEST_LOG_SIZE },
      candidates: `pairs of valid proposal and class above the least score, whose box is at least ${LEAST_SIDE} pixels wide and high`,
      suppresses: true,
    },
    decode: fasterRcnnDecoder(asked),
    decodeInGraph: (outputs) => fasterRcnnBoxes(outputs, size),
  };
}

/** Faster R-CNN on a feature pyramid: proposals, RoIAlign, two hidden layers. Ren et al. 2015 (arXiv:1506.01497), Lin
 *  et al. 2017 (arXiv:1612.03144); anchors, matching, losses and post-processing are those of torchvision. */
export const fasterRcnn = defineDetector({
  name: 'fasterRcnn',
  description:
    'Faster R-CNN on a feature pyramid. Its first stage proposes boxes, its second one classifies and corrects each (Ren et al. 2015, arXiv:1506.01497).',
  options,
  trainingOptions: ['boxLoss', 'sampledBoxes', 'sampling', 'proposals'],
  anchorOption: 'anchorScale',
  sizeMultiple: ({ neck }) => (neck === 'balanced' ? 64 : 32),
  idle: () => [
    ['train.hardNegatives', 'model.head: fasterRcnn', 'model.head: ssdlite'],
    ['train.focal', 'model.head: fasterRcnn', 'model.head: retinanet'],
    ['evaluate.candidates', 'model.head: fasterRcnn', 'model.head: ssdlite'],
  ],
  create,
});
