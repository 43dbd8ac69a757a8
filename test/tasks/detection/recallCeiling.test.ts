import { describe, expect, test } from '@jest/globals';
import * as fc from '../../fastCheck.js';
import { detectorDefaults } from '../../../src/tasks/detection/detectorDefaults.js';
import { cxcywhToXyxy, iou, xyxy, type Xyxy } from '../../../src/geometry/box.js';
import { placeAnchors } from '../../../src/tasks/detection/anchors.js';
import { createDetector } from '../../../src/tasks/detection/detection.js';
import type { DetectionOptions } from '../../../src/tasks/detection/detectors.js';
import { bestIou, objectSize, recallCeiling } from '../../../src/tasks/detection/recallCeiling.js';

const detectors: DetectionOptions[] = [
  { ...detectorDefaults.ssdlite, size: [96, 160], backbone: 'mobilenetv2_035', numClasses: 1 },
  { ...detectorDefaults.ssd, backbone: 'vgg16_caffe', numClasses: 1 },
  { ...detectorDefaults.retinanet, size: [96, 160], channels: 8, backbone: 'mobilenetv2_035', numClasses: 1 },
];

describe.each(detectors)('$head', (options) => {
  const [height, width] = options.size;
  const { levels, threshold } = createDetector(options).anchors!;
  const all = cxcywhToXyxy(placeAnchors(levels));
  const boxes = fc
    .array(fc.tuple(...[0, 1, 2, 3].map(() => fc.double({ min: 0, max: 1, noNaN: true }))), {
      minLength: 1,
      maxLength: 6,
    })
    .map((rows) =>
      xyxy(
        rows.flatMap(([x, y, w, h]) => {
          const [left, top] = [x! * (width - 2), y! * (height - 2)];
          return [left, top, left + 1 + w! * (width - left - 1), top + 1 + h! * (height - top - 1)];
        }),
      ),
    );

  test('one look for each shape finds what a search over all anchors finds', () => {
    fc.assert(
      fc.property(boxes, (truth) => {
        for (let row = 0; row < truth.length / 4; row++)
          expect(bestIou(levels, truth, row)).toBeCloseTo(searched(all, truth, row), 5);
      }),
      { numRuns: 30 },
    );
  });

  test('every anchor that is inside is reached by itself', () => {
    const sizes = Array.from({ length: all.length / 4 }, () => 'large' as const);
    const { all: total, small } = recallCeiling({ levels, threshold }, { boxes: all, sizes });
    expect(total).toEqual({ objects: all.length / 4, recall: 1, meanIou: expect.closeTo(1, 5) });
    expect(small).toEqual({ objects: 0, recall: NaN, meanIou: NaN });
  });
});

function searched(anchors: Xyxy, truth: Xyxy, row: number): number {
  let best = 0;
  for (let i = 0; i < anchors.length / 4; i++) best = Math.max(best, iou(anchors, i, truth, row));
  return best;
}

test("sizes are COCO's", () => {
  expect([1023, 1024, 9216, 9217].map(objectSize)).toEqual(['small', 'medium', 'medium', 'large']);
});
