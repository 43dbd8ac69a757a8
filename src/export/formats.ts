import { onnx } from './formats/onnx/onnx.js';
import { savedmodel } from './formats/savedmodel/savedmodel.js';
import { tfjs } from './formats/tfjs/tfjs.js';
import { tflite } from './formats/tflite/tflite.js';

/** Every format. To add one, add its folder to formats/, and its name here and in names.ts. */
export const formats = [onnx, savedmodel, tfjs, tflite] as const;
