import { expect, test } from '@jest/globals';
import { createDetection } from '../../src/evaluate/createTask.js';
import { detectorDefaults } from '../../src/tasks/detection/detectorDefaults.js';
import { count } from '../../src/graph/count.js';

/** docs/detectors.md: millions of parameters and G multiply-adds at 320×320 as printed, and for how many classes they are. The talk's table
 *  counts 80, but took MobileNetV3's and MnasNet's figures from their papers, which count COCO's 90 numbers. */
test.each([
  ['talk_large_reconstruction', 80, 4.88, 1.66],
  ['talk_small_reconstruction', 80, 4.65, 1.02],
  ['mobilenetv1_100', 80, 5.1, 1.31],
  ['mobilenetv2_100', 80, 4.3, 0.79],
  ['mobilenetv3_large_100', 90, 4.97, 0.62],
  ['semnasnet_100', 90, 4.9, 0.84],
  ['mobilenetv1_mixconv', 80, 5.22, 1.39],
  ['mobilenetv2_mixconv', 80, 4.49, 0.88],
])('%s with SSD-lite for %i classes: %d M, %d G', (backbone, numClasses, params, macs) => {
  const counted = countOf({ backbone, numClasses });
  expect(Math.abs(counted.params / 1e6 / params - 1)).toBeLessThan(0.03);
  expect(Math.abs(counted.macs / 1e9 / macs - 1)).toBeLessThan(0.03);
});

test("torchvision's ssdlite320_mobilenet_v3_large: 3,440,060 parameters, 0.583 G", () => {
  const published = { classLoss: 'softmax', anchors: 'torchvision' } as const;
  const { params, macs } = countOf({ backbone: 'mobilenetv3_large_reduced_100', numClasses: 90, ...published });
  expect(params).toBe(3440060);
  expect(macs / 1e9).toBeCloseTo(0.583, 3);
});

function countOf(options: {
  readonly backbone: string;
  readonly numClasses: number;
  readonly classLoss?: 'softmax';
  readonly anchors?: 'torchvision';
}) {
  const task = createDetection({ ...detectorDefaults.ssdlite, ...options });
  return count(Object.values(task.build({ batch: 1, size: task.size, trainBatchNorm: () => false }).outputs));
}
