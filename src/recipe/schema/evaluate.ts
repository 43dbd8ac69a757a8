/** `evaluate`, and `report`. */
import { z } from 'zod';
import { count } from '../../optionValues.js';
import { selection } from '../../tasks/detection/options.js';
import { thresholds } from '../../tasks/text/options.js';

/** What the best epoch is chosen by: one of the numbers of the evaluation, the first unless said otherwise, or the loss. */
export const bestBy = <const Names extends readonly [string, ...string[]]>(...numbers: Names) =>
  z
    .enum([...numbers, 'loss'])
    .describe(
      'The number of the evaluation by which the best epoch is chosen, `plateau` cuts and `earlyStop` waits: the highest, of `loss` the lowest.',
    );

const batch = count.default(8).describe('Images per call.');

export const boxEvaluation = z.strictObject({
  ...selection,
  best: bestBy('AP', 'AP50', 'AP75', 'APs', 'APm', 'APl', 'AR1', 'AR10', 'AR100').default('AP'),
  batch,
});

export const classEvaluation = z.strictObject({ best: bestBy('top1', 'top5', 'meanPerClass').default('top1'), batch });

export const textEvaluation = z.strictObject({
  protocol: z
    .enum(['iou', 'deteval'])
    .default('iou')
    .describe('`iou`: as ICDAR 2015 scores, IoU above 0.5. `deteval`: as ICDAR 2013 does.'),
  thresholds,
  best: bestBy('hmean', 'precision', 'recall').default('hmean'),
  batch: count.default(1).describe('Images per call.'),
});

export const report = z.strictObject({
  images: z.int().min(0).default(24).describe('Images shown with their predictions, worst first.'),
});
