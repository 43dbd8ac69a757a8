/** Predicts with an exported model in a browser, a worker or Node: `tfjs-finetune/runtime`. It needs no other package; the engine
 *  that runs the model is the caller's. */
export { FinetuneError } from './errors.js';
export { liteRt, onnxRuntime, tensorFlow, type Engine } from './runtime/engine.js';
export type { PixelData, RuntimeImage } from './runtime/image.js';
export {
  createPredictor,
  type ClassifierPredictor,
  type DetectorPredictor,
  type Predictor,
  type PredictorOptions,
  type TextPredictor,
} from './runtime/predictor.js';
export type { FoundClass, FoundObject, FoundWord } from './tasks/found.js';
