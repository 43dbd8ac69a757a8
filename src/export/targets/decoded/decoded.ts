import type { Results } from '../../../engine/engine.js';
import { xyxy } from '../../../geometry/box.js';
import type { ClassIndex } from '../../../data/sample.js';
import type { Found } from '../../../tasks/detection/detector.js';
import { suppressPerClass, type Candidate } from '../../../tasks/detection/nms.js';
import { boxesOf, detectorOf, whyNoDetector } from '../detector.js';
import { scoreBoxes } from '../evaluators.js';
import { describeInput, feedAs, withInput, type InputLayout } from '../input.js';
import type { Target } from '../target.js';

/** What `blobFromImage(image, 1.0, size, swapRB=True)` makes of an image. */
const INPUT: InputLayout = { name: 'image', layout: 'NCHW', range: [0, 255] };

/** Detectors for libraries that run networks and bring no decoder: boxes are decoded, and the program suppresses them class by
 *  class, in OpenCV with `NMSBoxes`. */
const decoded = (name: 'opencv' | 'openvino'): Target => ({
  name,
  formats: ['onnx'],
  whyNot: (checkpoint) => whyNoDetector(checkpoint, name),
  adapt(checkpoint, net) {
    const description = detectorOf(checkpoint);
    const { selection, size } = description;
    const { boxes, scores } = boxesOf(checkpoint, net);
    return {
      net: withInput({ ...net, program: { outputs: { boxes, scores } } }, INPUT),
      feed: feedAs(INPUT),
      evaluator: scoreBoxes((results) => nmsBoxes(results, selection), description),
      card: {
        input: describeInput(INPUT, size),
        outputs: {
          boxes: '[1, R, 4]: left, upper, right and lower side of each box, in pixels of the input',
          scores: '[1, R, K]: the score of each class, 0…1',
        },
        decode: { scores: 'the output itself', boxes: 'the output itself' },
      },
    };
  },
});

export const opencv = decoded('opencv');
export const openvino = decoded('openvino');

/** What `cv2.dnn.NMSBoxes` keeps of the boxes [R,4] of each class. */
function nmsBoxes({ boxes, scores }: Results, selection: Parameters<typeof suppressPerClass>[1]): Found {
  const rows = boxes!.length / 4;
  const classes = scores!.length / rows;
  const candidates = Array.from(scores!.keys()).flatMap((at): Candidate[] => {
    const [row, score] = [Math.floor(at / classes), scores![at]!];
    if (score <= selection.scoreThreshold) return [];
    return [{ box: xyxy(boxes!.slice(row * 4, row * 4 + 4)), score, classIndex: (at % classes) as ClassIndex }];
  });
  return suppressPerClass(candidates, { ...selection, nms: 'hard' });
}
