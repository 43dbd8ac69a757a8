/** The names of the formats, which a command line needs before any format is loaded. */
export const FORMATS = ['onnx', 'savedmodel', 'tfjs', 'tflite'] as const;
export type FormatName = (typeof FORMATS)[number];

/** The applications that a model can be written for. Each has a folder in targets/. */
export const TARGETS = [
  'coco-ssd',
  'frigate',
  'mediapipe',
  'opencv',
  'openvino',
  'transformersjs',
  'ultralytics',
] as const;
export type TargetName = (typeof TARGETS)[number];

/** Where non-maximum suppression runs: `out`, in the program that runs the model; `in` the model; or nowhere (`none`). */
export const NMS_PLACES = ['out', 'in', 'none'] as const;
export type NmsPlace = (typeof NMS_PLACES)[number];

/** The types that a model can be quantised to. */
export const QUANTIZATIONS = ['float16', 'int8'] as const;
export type Quantization = (typeof QUANTIZATIONS)[number];
