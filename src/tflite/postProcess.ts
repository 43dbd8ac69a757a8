import { encode } from 'flatbuffers/js/flexbuffers.js';
import type { TfliteModel, TfliteTensor } from './model.js';

/** The custom operator TFLite_Detection_PostProcess, which TFLite models of detectors end with: it decodes boxes, and suppresses
 *  those of each class that overlap (tensorflow/lite/kernels/detection_postprocess.cc). */

export interface PostProcess {
  /** Keys of the outputs that it reads: boxes [1,R,4] as y and x of the centre and the logarithms of height and width, as shares
   *  of the image; scores [1,R,K]. */
  readonly boxes: string;
  readonly scores: string;
  readonly classes: number;
  readonly scoreThreshold: number;
  /** Above 0, at most 1: boxes of a class that overlap by more are suppressed. */
  readonly iouThreshold: number;
  readonly maxDetections: number;
}

/** The outputs of the operator, in the order in which programs expect them. */
export const POST_PROCESSED = ['boxes', 'classes', 'scores', 'count'] as const;
export type PostProcessed = (typeof POST_PROCESSED)[number];

/** Shapes of the outputs. Boxes are top, left, bottom and right as shares of the image; classes count from 0. */
export const postProcessedShapes = (maxDetections: number): Readonly<Record<PostProcessed, readonly number[]>> => ({
  boxes: [1, maxDetections, 4],
  classes: [1, maxDetections],
  scores: [1, maxDetections],
  count: [1],
});

/** Ends the model with the operator, whose outputs take the place of its own. The boxes are its own already, so that every
 *  anchor is the whole image: y 0, x 0, height 1, width 1, and all scales are 1. */
export function withPostProcess(model: TfliteModel, options: PostProcess): TfliteModel {
  const { boxes, scores, classes, scoreThreshold, iouThreshold, maxDetections } = options;
  const tensorOf = (wanted: string): string => model.outputs.find(({ key }) => key === wanted)!.tensor;
  const [, rows] = model.tensors.get(tensorOf(scores))!.shape as [number, number];
  const anchors: TfliteTensor = {
    type: 'float32',
    shape: [rows, 4],
    data: Float32Array.from({ length: rows * 4 }, (_, i) => (i % 4 < 2 ? 0 : 1)),
  };
  const shapes = postProcessedShapes(maxDetections);
  const made = POST_PROCESSED.map((key): [string, TfliteTensor] => [
    `detections/${key}`,
    { type: 'float32', shape: shapes[key] },
  ]);
  const settings = {
    max_detections: maxDetections,
    max_classes_per_detection: 1,
    detections_per_class: maxDetections,
    use_regular_nms: true,
    nms_score_threshold: scoreThreshold,
    nms_iou_threshold: iouThreshold,
    num_classes: classes,
    y_scale: 1,
    x_scale: 1,
    h_scale: 1,
    w_scale: 1,
  };
  return {
    ...model,
    tensors: new Map([...model.tensors, ['detections/anchors', anchors], ...made]),
    nodes: [
      ...model.nodes,
      {
        op: { custom: 'TFLite_Detection_PostProcess', options: encode(settings) },
        layer: 'detections',
        inputs: [tensorOf(boxes), tensorOf(scores), 'detections/anchors'],
        outputs: made.map(([name]) => name),
        options: {},
      },
    ],
    outputs: POST_PROCESSED.map((key) => ({ key, tensor: `detections/${key}` })),
  };
}
