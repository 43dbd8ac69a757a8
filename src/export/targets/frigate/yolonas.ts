import * as b from '../../../graph/builder.js';
import type { Value } from '../../../graph/spec.js';
import type { GraphDetections } from '../../../tasks/detection/suppressInGraph.js';
import type { Net } from '../../format.js';
import type { Checkpoint } from '../../source.js';
import { detectInGraph } from '../../suppressInside.js';
import { detectorOf } from '../detector.js';
import { scoreBoxes } from '../evaluators.js';
import { describeInput, feedAs, withInput, type InputLayout } from '../input.js';
import type { Adapted } from '../target.js';
import { decodeYolonas } from './decode.js';

const INPUT: InputLayout = { name: 'image', layout: 'NCHW', range: [0, 255] };
const OUTPUT = 'detections';

/** For Frigate's detectors `onnx` and `openvino` with `model_type: yolonas`: the objects themselves, one in each row. */
export function adaptYolonas(checkpoint: Checkpoint, net: Net): Adapted {
  const description = detectorOf(checkpoint);
  const [height, width] = description.size;
  const found = detectInGraph(checkpoint.model, description, net);
  return {
    net: withInput({ ...net, program: { outputs: { [OUTPUT]: rowsOf(found) } } }, INPUT),
    feed: feedAs(INPUT),
    evaluator: scoreBoxes((results) => decodeYolonas(results[OUTPUT]!, Infinity), description),
    card: {
      input: describeInput(INPUT, description.size),
      outputs: {
        [OUTPUT]:
          '[D, 7]: 0, left, upper, right and lower side in pixels of the input, score and class of each object, best first; rows without an object have the class -1',
      },
      decode: { scores: 'the output itself', boxes: 'the output itself' },
      note: `frigate reports the 20 best objects with a score of 0.4 or more; set model.model_type: yolonas, model.width: ${width}, model.height: ${height}, model.input_tensor: nchw, model.input_pixel_format: rgb, model.input_dtype: float_denorm`,
    },
  };
}

/** [D,7] of the detections. */
function rowsOf({ boxes, scores, classes }: GraphDetections): Value {
  const [, most] = scores.shape as [number, number];
  const column = (value: Value): Value => b.reshape(value, [most, 1]);
  const { graph } = scores.node;
  const none = b.broadcastTo(b.scalar(graph, -1), [1, most]);
  const named = b.select(b.greater(scores, b.scalar(graph, 0)), classes, none);
  const image = b.mul(column(scores), 0);
  return b.concat([image, b.reshape(boxes, [most, 4]), column(scores), column(named)], 1);
}
