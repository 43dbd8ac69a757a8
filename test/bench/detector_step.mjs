/** Our side of step.mjs for torchvision's detectors: a whole training step with COCO's columns. On ResNet-50 the stem, the first layer and the
 *  BatchNorms are frozen, as torchvision finetunes it; of ssdlite320_mobilenet_v3_large nothing is.
 *  Arguments: head (ssdlite | retinanet | fasterRcnn), batch, size. */
import { detectorDefaults } from '../../dist/tasks/detection/detectorDefaults.js';
import { openDetectorStep } from './detectorStep.mjs';
import { answer } from './dialogue.mjs';

const [head, batch, side] = process.argv.slice(2);
const resnet = { freeze: { stages: 2, batchNorm: 'frozen' }, weightDecay: 1e-4 };
const cases = {
  ssdlite: {
    detector: {
      backbone: 'mobilenetv3_large_reduced_100',
      numClasses: 90,
      classLoss: 'softmax',
      anchors: 'torchvision',
    },
    freeze: { stages: 0, batchNorm: 'train' },
    weightDecay: 4e-5,
  },
  retinanet: { detector: { backbone: 'resnet50', numClasses: 91 }, ...resnet },
  fasterRcnn: { detector: { backbone: 'resnet50', numClasses: 90 }, ...resnet },
};
const { detector, ...training } = cases[head];
const { step } = await openDetectorStep({
  ...training,
  detector: { ...detectorDefaults[head], ...detector },
  batch: Number(batch),
  side: Number(side),
});
await answer(step);
