/** `evaluate`, and `report`. */
import { z } from 'zod';
import { count, fraction } from './values.js';

/** What the best epoch is chosen by: one of the numbers of the evaluation, the first unless said otherwise, or the loss. */
export const bestBy = <const Names extends readonly [string, ...string[]]>(...numbers: Names) =>
  z
    .enum([...numbers, 'loss'])
    .describe(
      'The number of the evaluation by which the best epoch is chosen, `plateau` cuts and `earlyStop` waits: the highest, of `loss` the lowest.',
    );

const batch = count.default(8).describe('Images per call.');

export const boxEvaluation = z.strictObject({
  scoreThreshold: fraction.default(0.001).describe('Detections that score less are left out.'),
  candidates: count.default(400).describe('Most boxes of a class that enter the suppression of overlaps, best first.'),
  nms: z
    .enum(['hard', 'softLinear', 'softGaussian'])
    .default('hard')
    .describe(
      'What happens to a detection that overlaps a better one of its class. `hard`: it is left out. `softLinear`, `softGaussian`: its score falls with the overlap (Bodla et al. 2017, arXiv:1704.04503), which keeps objects that hide each other.',
    ),
  nmsThreshold: fraction
    .default(0.6)
    .describe(
      'A detection that overlaps a better one of its class by a larger IoU is left out, or falls. Not with `nms: softGaussian`.',
    ),
  maxDetections: count.default(100).describe('Most detections per image, best first.'),
  best: bestBy('AP', 'AP50', 'AP75', 'APs', 'APm', 'APl', 'AR1', 'AR10', 'AR100').default('AP'),
  batch,
});

export const classEvaluation = z.strictObject({ best: bestBy('top1', 'top5', 'meanPerClass').default('top1'), batch });

export const report = z.strictObject({
  images: z.int().min(0).default(24).describe('Images shown with their predictions, worst first.'),
});
