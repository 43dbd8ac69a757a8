export * as mask from './mask.js';
export type { Mask } from './mask.js';
export { COCO } from './coco.js';
export type { CheckOptions } from './check.js';
export { COCOeval } from './cocoeval.js';
export type { Accumulated } from './accumulate.js';
export type { EvalImg } from './evaluateImage.js';
export { defaultParams, type Params } from './params.js';
export { CocoError, formatCocoProblem, type CocoErrorCode, type CocoProblem, type CocoWhere } from './errors.js';
export type {
  CocoAnnotation,
  CocoCategory,
  CocoDataset,
  CocoImage,
  CocoResult,
  IouType,
  Rle,
  Segmentation,
  UncompressedRle,
} from './types.js';
export { loadCoco, loadResFile, type LoadOptions } from './load.js';
export { loadJson, parseJson, type LoadJsonOptions } from './json.js';
