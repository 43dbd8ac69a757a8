import { expect, test } from '@jest/globals';
import { detectorDefaults } from '../../../../../src/tasks/detection/detectorDefaults.js';
import { placeAnchors } from '../../../../../src/tasks/detection/anchors.js';
import { ssd } from '../../../../../src/tasks/detection/detectors/ssd/ssd.js';
import { ssdlite } from '../../../../../src/tasks/detection/detectors/ssdlite/ssdlite.js';

test("SSD300 has the paper's six levels and 8732 anchors", () => {
  const { levels } = ssd.create({ ...detectorDefaults.ssd, backbone: 'vgg16_caffe', numClasses: 20 }).anchors!;
  expect(levels.map(({ grid: { width } }) => width)).toEqual([38, 19, 10, 5, 3, 1]);
  expect(placeAnchors(levels).length / 4).toBe(8732);
});

const lite = { ...detectorDefaults.ssdlite, backbone: 'mobilenetv2_035', numClasses: 2 } as const;

test('stride 8 is a level in front with a name of its own, so that weights of the others still load', () => {
  const detector = ssdlite.create({ ...lite, finestStride: 8 });
  expect(detector.anchors!.levels.map(({ grid: { width } }) => width)).toEqual([40, 20, 10, 5, 3, 2, 1]);
  expect(detector.anchors!.levels.map(({ shapes }) => shapes.length)).toEqual([3, 6, 6, 6, 6, 6, 6]);
});

test('own anchors, as shares of the input; a level without any predicts nothing', () => {
  const anchors = [[[0.1, 0.2]], [[0.5, 0.4], [1, 1]], [], [], [], []] as const; // prettier-ignore
  const detector = ssdlite.create({ ...lite, anchors });
  const boxes = placeAnchors(detector.anchors!.levels);
  expect(boxes.length / 4).toBe(20 * 20 + 2 * 10 * 10);
  const { outputs } = detector.build({ batch: 1, size: lite.size, trainBatchNorm: () => false });
  expect(outputs.boxes!.shape).toEqual([1, 600, 4]);
  expect([...boxes.subarray(0, 4)]).toEqual([8, 8, 32, 64]);
});
