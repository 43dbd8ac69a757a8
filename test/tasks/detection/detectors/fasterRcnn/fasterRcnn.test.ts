import { describe, expect, test } from '@jest/globals';
import type { FasterRcnnOptions } from '../../../../../src/tasks/detection/detectors/fasterRcnn/options.js';
import { expectSummary, readFixture, runPublished, type Case, type Fixture, type Summary } from '../torchvision.js';

interface FasterCase extends Case {
  readonly units: number;
  readonly objectness: Summary;
  readonly logits: Summary;
  readonly proposals: readonly (readonly (readonly number[])[])[];
}

const fixture = readFixture<FasterCase>('fasterRcnn.json') as Fixture<FasterCase> & {
  readonly numProposals: number;
  readonly sampled: number;
};
const slow = process.env.FINETUNE_SLOW === '1';
/** Milliseconds: forty million weights take long on a busy machine. */
const TIMEOUT = slow ? 900_000 : 300_000;

const options = ({ depth, channels, units }: FasterCase): FasterRcnnOptions & { head: 'fasterRcnn' } => ({
  head: 'fasterRcnn',
  backbone: `resnet${depth}`,
  numClasses: fixture.columns - 1,
  size: fixture.size,
  neck: 'fpn',
  channels,
  units,
  anchorScale: 8,
  boxLoss: 'smoothL1',
  proposals: fixture.numProposals,
  sampledBoxes: fixture.sampled,
  sampling: 'random',
  focal: { alpha: 0.25, gamma: 2 },
  hardNegatives: 3,
  scoreThreshold: 0.05,
  candidates: 400,
  nms: 'hard',
  nmsThreshold: 0.5,
  maxDetections: 100,
});

const runs = fixture.cases.filter(({ depth }) => slow || depth < 50);
describe.each(runs)("Faster R-CNN on ResNet-$depth equals torchvision's", (golden) => {
  test(
    'proposals, outputs, losses, gradients and detections',
    async () => {
      // torchvision counts classes from 1, the background being 0.
      const { results, expectGradients, expectDetections } = await runPublished(fixture, golden, options(golden), -1);
      expectSummary('objectness', results.objectness!, golden.objectness);
      for (const [i, expected] of golden.proposals.flat().entries()) {
        const box = results.proposals!.subarray(i * 4, i * 4 + 4);
        expect(Math.max(...expected.map((value, j) => Math.abs(value - box[j]!)))).toBeLessThan(0.02);
      }
      expectSummary('logits', results.logits!, golden.logits);
      const parts = { proposalScore: 'loss_objectness', proposalBox: 'loss_rpn_box_reg', class: 'loss_classifier', box: 'loss_box_reg' }; // prettier-ignore
      for (const [ours, theirs] of Object.entries(parts)) {
        expect([ours, Math.abs(results[ours]![0]! / golden.losses[theirs]! - 1) < 3e-4]).toEqual([ours, true]);
      }
      expectGradients();
      expectDetections();
    },
    TIMEOUT,
  );
});
