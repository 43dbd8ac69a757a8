import * as b from '../../../../graph/builder.js';
import { placeAnchors } from '../../anchors.js';
import { defineDetector, type HeadOptions } from '../../defineDetector.js';
import type { Detector } from '../../detector.js';
import { gridLevels } from '../../gridAnchors.js';
import { fasterRcnnCriterion, THRESHOLDS } from './criterion.js';
import { fasterRcnnDecoder } from './decode.js';
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
    decode: fasterRcnnDecoder(asked),
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
