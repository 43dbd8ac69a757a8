import { whyNotPostProcess } from '../postProcess/postProcess.js';
import type { Target } from '../target.js';
import { adaptTflite } from './tflite.js';
import { adaptYolonas } from './yolonas.js';

/** Models for Frigate's detectors: `cpu` and `edgetpu` read TFLite, `onnx` and `openvino` read ONNX. */
export const frigate: Target = {
  name: 'frigate',
  formats: ['tflite', 'onnx'],
  whyNot: (checkpoint) => whyNotPostProcess(checkpoint, 'frigate'),
  adapt: (checkpoint, net, { name }) =>
    name === 'onnx' ? adaptYolonas(checkpoint, net) : adaptTflite(checkpoint, net),
};
