import * as b from '../../../graph/builder.js';
import type { Value } from '../../../graph/spec.js';
import type { DetectorDescription } from '../../../tasks/description/description.js';
import { boxesOf, detectorOf, whyNoDetector } from '../detector.js';
import { scoreBoxes } from '../evaluators.js';
import { describeInput, feedAs, withInput, type InputLayout } from '../input.js';
import type { Target } from '../target.js';
import { decodeUltralytics } from './decode.js';

const INPUT: InputLayout = { name: 'images', layout: 'NCHW', range: [0, 1] };
const OUTPUT = 'output0';

/** The layout of Ultralytics' detectors (YOLOv8 and later): an input [1,3,height,width] in 0…1, and an output [1, 4 + K, R] with
 *  boxes in pixels of the input and the scores of K classes. Post-processing code for these models reads it, and the package
 *  itself does by the texts in the file. */
export const ultralytics: Target = {
  name: 'ultralytics',
  formats: ['onnx'],
  whyNot: (checkpoint) => whyNoDetector(checkpoint, 'ultralytics'),
  adapt(checkpoint, net) {
    const description = detectorOf(checkpoint);
    const { categories, size, selection } = description;
    const { boxes, scores } = boxesOf(checkpoint, net);
    const rows = b.concat([centred(boxes), scores], 2);
    const program = { outputs: { [OUTPUT]: b.transpose(rows, [0, 2, 1]) } };
    const settings = {
      confidence: selection.scoreThreshold,
      iou: selection.nmsThreshold,
      most: selection.maxDetections,
    };
    return {
      net: { ...withInput({ ...net, program }, INPUT), metadata: metadataOf(description) },
      feed: feedAs(INPUT),
      evaluator: scoreBoxes(
        (results) => decodeUltralytics(results[OUTPUT]!, { ...settings, classes: categories.length }),
        description,
      ),
      card: {
        input: describeInput(INPUT, size),
        outputs: {
          [OUTPUT]:
            '[1, 4 + K, R]: x and y of the centre, width and height of each box in pixels of the input, then the score of each class',
        },
        decode: {
          scores: 'the output itself',
          boxes: 'the output itself',
          ultralytics: { conf: settings.confidence, iou: settings.iou, max_det: settings.most, multi_label: true },
        },
        ...(description.images.resize !== 'letterbox' && {
          note: `the ultralytics package letterboxes photos, and this model was trained with data.resize: ${description.images.resize}; it finds less there than in programs that resize as its card says`,
        }),
      },
    };
  },
};

/** Corners [1,R,4] as centre, width and height. */
function centred(boxes: Value): Value {
  const [, rows] = boxes.shape as [number, number];
  const [low, high] = [0, 2].map((first) => b.slice(boxes, [0, 0, first], [1, rows, 2])) as [Value, Value];
  return b.concat([b.mul(b.add(low, high), 0.5), b.sub(high, low)], 2);
}

/** What the ultralytics package reads of a file: Python literals. */
function metadataOf({ categories, size }: DetectorDescription): Record<string, string> {
  const names = categories.map(({ name }, i) => `${i}: ${JSON.stringify(name)}`);
  return {
    task: 'detect',
    stride: String(strideFor(size)),
    batch: '1',
    imgsz: `[${size.join(', ')}]`,
    names: `{${names.join(', ')}}`,
  };
}

/** The stride that the file names: the package feeds sides that are multiples of it, and the model has one size. */
export const strideFor = (size: readonly number[]): number => size.reduce(commonDivisor, USUAL_STRIDE);

const USUAL_STRIDE = 32; // of Ultralytics' own detectors

const commonDivisor = (one: number, other: number): number => (other === 0 ? one : commonDivisor(other, one % other));
