import { describe, expect, test } from '@jest/globals';
import type { FcosOptions } from '../../../../../src/tasks/detection/detectors/fcos/options.js';
import { expectSummary, readFixture, runPublished, type Case, type Summary } from '../torchvision.js';

interface FcosCase extends Case {
  readonly logits: Summary;
  readonly distances: Summary;
  readonly centerness: Summary;
}

const fixture = readFixture<FcosCase>('fcos.json');
const slow = process.env.FINETUNE_SLOW === '1';
/** Milliseconds: thirty million weights take long on a busy machine. */
const TIMEOUT = slow ? 900_000 : 300_000;

const options = ({ depth, channels }: FcosCase): FcosOptions & { head: 'fcos' } => ({
  head: 'fcos',
  backbone: `resnet${depth}`,
  numClasses: fixture.columns,
  size: fixture.size,
  neck: 'fpn',
  channels,
  centerRadius: 1.5,
  focal: { alpha: 0.25, gamma: 2 },
  hardNegatives: 3,
  scoreThreshold: 0.7,
  candidates: 400,
  nms: 'hard',
  nmsThreshold: 0.6,
  maxDetections: 100,
});

const runs = fixture.cases.filter(({ depth }) => slow || depth < 50);
describe.each(runs)("FCOS on ResNet-$depth equals torchvision's", (golden) => {
  test(
    'outputs, losses, gradients and detections',
    async () => {
      const { results, expectGradients, expectDetections } = await runPublished(fixture, golden, options(golden), 0);
      expectSummary('logits', results.logits!, golden.logits);
      expectSummary('distances', results.distances!, golden.distances);
      expectSummary('centerness', results.centernessLogits!, golden.centerness);
      const near = (ours: Float32Array, theirs: number): void => {
        expect(Math.abs(ours[0]! / theirs - 1)).toBeLessThan(1e-4);
      };
      near(results.class!, golden.losses.classification!);
      near(results.box!, golden.losses.bbox_regression!);
      near(results.centerness!, golden.losses.bbox_ctrness!);
      expectGradients();
      expectDetections();
    },
    TIMEOUT,
  );
});
