import { describe, expect, test } from '@jest/globals';
import type { RetinaNetOptions } from '../../../../../src/tasks/detection/detectors/retinanet/options.js';
import { expectSummary, readFixture, runPublished, type Case, type Summary } from '../torchvision.js';

interface RetinaCase extends Case {
  readonly logits: Summary;
  readonly offsets: Summary;
}

const fixture = readFixture<RetinaCase>('retinanet.json');
const slow = process.env.FINETUNE_SLOW === '1';
/** Milliseconds: forty million weights take long on a busy machine. */
const TIMEOUT = slow ? 900_000 : 300_000;

const options = ({ depth, channels }: RetinaCase): RetinaNetOptions & { head: 'retinanet' } => ({
  head: 'retinanet',
  backbone: `resnet${depth}`,
  numClasses: fixture.columns,
  size: fixture.size,
  neck: 'fpn',
  channels,
  anchorScale: 4,
  boxLoss: 'l1',
  focal: { alpha: 0.25, gamma: 2 },
  hardNegatives: 3,
  scoreThreshold: 0.05,
  candidates: 400,
  nms: 'hard',
  nmsThreshold: 0.5,
  maxDetections: 300,
});

const runs = fixture.cases.filter(({ depth }) => slow || depth < 50);
describe.each(runs)("RetinaNet on ResNet-$depth equals torchvision's", (golden) => {
  test(
    'outputs, losses, gradients and detections',
    async () => {
      const { results, expectGradients, expectDetections } = await runPublished(fixture, golden, options(golden), 0);
      expectSummary('logits', results.logits!, golden.logits);
      expectSummary('offsets', results.boxes!, golden.offsets);
      expect(Math.abs(results.class![0]! / golden.losses.classification! - 1)).toBeLessThan(1e-4);
      expect(Math.abs(results.box![0]! / golden.losses.bbox_regression! - 1)).toBeLessThan(1e-4);
      expectGradients();
      expectDetections();
    },
    TIMEOUT,
  );
});
