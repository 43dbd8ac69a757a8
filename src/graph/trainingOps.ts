import { isOp } from './builder.js';
import type { Node, Op } from './spec.js';

/** Ops that only training needs: gradients, random numbers and variables. */
export const trainingOps = [
  'convInputGrad',
  'convFilterGrad',
  'depthwiseInputGrad',
  'depthwiseFilterGrad',
  'batchNormGrad',
  'maxPoolGrad',
  'averagePoolGrad',
  'resizeGrad',
  'cropAndResizeGrad',
  'reluGrad',
  'relu6Grad',
  'sigmoidGrad',
  'swishGrad',
  'hardSwishGrad',
  'randomUniform',
  'workersMean',
  'addToSums',
  'assign',
] as const satisfies readonly Op[];
export type TrainingOp = (typeof trainingOps)[number];

/** Why a format for inference has no place for the node; undefined if it is not one of training. */
export function whyTraining(node: Node): string | undefined {
  if (trainingOps.includes(node.op as TrainingOp)) return `${node.op} belongs to training`;
  if (isOp(node, 'batchNorm') && node.attrs.training) return 'batchNorm uses the statistics of the batch';
  return undefined;
}
