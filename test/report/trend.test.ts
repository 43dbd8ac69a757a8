import { expect, test } from '@jest/globals';
import { describeTrend } from '../../src/report/trend.js';
import type { MetricsLine } from '../../src/train/log/record.js';

const linesOf = (losses: readonly number[], top1: readonly number[]): MetricsLine[] =>
  losses.map((trainLoss, i) => ({
    ...{ type: 'epoch', epoch: i + 1, step: 28 * (i + 1), trainLoss, valLoss: 4 - trainLoss, seconds: 1 },
    metric: { top1: top1[i]! },
  }));

/** MobileNetV3-small 0.5 from random values on 900 images of 30 classes at 64 × 64 without augmentation, top-1 on 1,200
 *  others (docs/talk.md). */
const losses = [3.38, 3.37, 3.32, 3.29, 3.24, 3.13, 2.99, 2.79, 2.72, 2.53, 2.33, 2.11, 1.84, 1.6, 1.48, 1.28, 1.2, 1.09, 1.034, 0.95, 0.89, 0.89, 0.87, 0.85, 0.83, 0.83, 0.84, 0.82, 0.82, 0.829]; // prettier-ignore
const top1 = [0.042, 0.048, 0.046, 0.053, 0.077, 0.072, 0.099, 0.117, 0.113, 0.119, 0.116, 0.121, 0.148, 0.147, 0.143, 0.147, 0.161, 0.163, 0.168, 0.166, 0.16, 0.159, 0.16, 0.151, 0.15, 0.157, 0.152, 0.159, 0.156, 0.162]; // prettier-ignore

test('a score that falls while the training loss goes on falling is overfitting', () => {
  expect(describeTrend(linesOf(losses, top1), 'top1')).toMatch(
    /^It seems to overfit: after epoch 19 the training loss fell from 1\.034 to 0\.829, while top1 on the validation part went from 0\.166 to 0\.15\d\. The weights of epoch 19 were kept\./,
  );
});

test('the same by the validation loss, where lower is better', () => {
  const lines = losses.map((loss, i) => ({ ...linesOf(losses, top1)[i]!, valLoss: Math.max(loss, 3 - loss) }));
  expect(describeTrend(lines, 'loss')).toMatch(/while the loss on the validation part went from 1\.\d+ to 2\.\d+\./);
});

test('a training that ended early is one whose score still rose', () => {
  expect(describeTrend(linesOf(losses.slice(0, 17), top1.slice(0, 17)), 'top1')).toMatch(
    /^The score was still rising when the training ended: top1 was 0\.\d+ on average in the evaluations before the last 4, and 0\.\d+ in those\./,
  );
});

test('neither is said of few evaluations, of a curve that has become flat, and of one that only jumps', () => {
  expect(describeTrend(linesOf(losses.slice(0, 4), top1.slice(0, 4)), 'top1')).toBeUndefined();
  expect(describeTrend([], 'top1')).toBeUndefined();
  const flat = linesOf([3, 2, 1.5, 1.2, 1.1, 1.05, 1, 1], [0.1, 0.3, 0.4, 0.45, 0.46, 0.46, 0.46, 0.461]);
  expect(describeTrend(flat, 'top1')).toBeUndefined();
  // A detector on 12 photos (README.md): one image more or less moves AP by as much.
  const few = linesOf([0.73, 0.47, 0.19, 0.11, 0.08, 0.05, 0.05, 0.04, 0.04, 0.04, 0.03], [0.556, 0.579, 0.633, 0.685, 0.669, 0.633, 0.653, 0.669, 0.648, 0.648, 0.648]); // prettier-ignore
  expect(describeTrend(few, 'top1')).toBeUndefined();
  expect(describeTrend(linesOf([3, 2, 1, 0.9, 0.8], [0.1, NaN, 0.2, 0.1, 0.1]), 'top1')).toBeUndefined();
});
