import { onnx } from './formats/onnx/onnx.js';

/** Every format. To add one, add its folder to formats/, and its name here and in names.ts. */
export const formats = [onnx] as const;
