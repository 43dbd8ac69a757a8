import { describe, expect, test } from '@jest/globals';
import { createDetection } from '../../../src/createTask.js';
import type { Category, ClassIndex, Sample } from '../../../src/data/sample.js';
import { xyxy } from '../../../src/geometry/box.js';
import { gradients } from '../../../src/graph/grad.js';
import type { Param } from '../../../src/graph/params.js';
import { ancestors } from '../../../src/graph/rewrite.js';
import { isOp } from '../../../src/graph/builder.js';
import { createModel } from '../../../src/model.js';
import type { RetinaNetOptions } from '../../../src/tasks/detectors/retinanet.js';
import { toTorch } from '../../../src/weights/layout.js';
import { openEngines } from '../../engines.js';
import {
  expectSummary,
  fixtureImages,
  ourNames,
  publishedParams,
  readFixture,
  type Case,
  type Summary,
} from './torchvision.js';

interface RetinaCase extends Case {
  readonly logits: Summary;
  readonly offsets: Summary;
  readonly anchors: Summary;
}

const { size, batch, columns, targets, cases } = readFixture<RetinaCase>('retinanet.json');
const slow = process.env.FINETUNE_SLOW === '1';
const engine = (await openEngines()).at(-1)!;

const options = ({ depth, channels }: RetinaCase): RetinaNetOptions => ({
  head: 'retinanet',
  backbone: `resnet${depth}`,
  numClasses: columns,
  size,
  neck: 'fpn',
  channels,
  anchorScale: 4,
  boxLoss: 'l1',
  focal: { alpha: 0.25, gamma: 2 },
  hardNegatives: 3,
  scoreThreshold: 0.05,
  nmsThreshold: 0.5,
  maxDetections: 300,
});

const sampleOf = ({ boxes, labels }: (typeof targets)[number]): Sample =>
  ({
    boxes: xyxy(boxes.flat()),
    classes: labels as unknown as ClassIndex[],
    ignore: labels.map(() => false),
  }) as unknown as Sample;

const runs = cases.filter(({ depth }) => slow || depth < 50);
describe.each(runs)("RetinaNet on ResNet-$depth equals torchvision's", (golden) => {
  const categories = Array.from({ length: columns }, (_, i) => ({ id: i + 1, name: `${i}` }) as unknown as Category);
  const task = createDetection(options(golden));
  const model = createModel(task, { categories, seed: 1 });

  test('outputs, losses, gradients and detections', async () => {
    const params = publishedParams(model, golden);
    const { outputs } = task.build({ batch, size, trainBatchNorm: () => false });
    const { total, parts } = task.loss(outputs);
    const watched = Object.keys(golden.gradients);
    const ours = watched.map((name) => [...ourNames(golden)].find(([, published]) => published === name)![0]);
    const leaves = ancestors([total]).filter((node) => isOp(node, 'param'));
    const wrt = ours.map((name) => leaves.find((node) => node.attrs.name === name)!.outputs[0]!);
    const dparams = gradients(total, wrt);
    const session = await engine.compile({
      run: { outputs: { ...outputs, ...parts, ...Object.fromEntries(dparams.map((d, i) => [`d${i}`, d])) } },
    });
    await session.write(params);
    const encoded = targets.map((target) => task.encode(sampleOf(target)));
    const results = await session.run('run', {
      image: fixtureImages(batch, size),
      labels: Int32Array.from(encoded.flatMap(({ labels }) => [...labels!])),
      offsets: Float32Array.from(encoded.flatMap(({ offsets }) => [...offsets!])),
    });
    session.dispose();

    expectSummary('logits', results.logits!, golden.logits);
    expectSummary('offsets', results.boxes!, golden.offsets);
    expect(Math.abs(results.class![0]! / golden.losses.classification! - 1)).toBeLessThan(1e-4);
    expect(Math.abs(results.box![0]! / golden.losses.bbox_regression! - 1)).toBeLessThan(1e-4);
    for (const [i, name] of watched.entries()) {
      const { kind, shape } = model.parameters.get(ours[i]!)!;
      const gradient: Param = toTorch(kind, { shape, data: results[`d${i}`]! });
      expectSummary(name, gradient.data, golden.gradients[name]!);
    }
    const origin = { imageId: 0, placement: { scaleX: 1, scaleY: 1, offsetX: 0, offsetY: 0 }, originalWidth: size[1], originalHeight: size[0] }; // prettier-ignore
    const found = task.decode(results, [origin, origin]);
    for (const [i, expected] of golden.detections.entries()) {
      expect(found[i]).toHaveLength(expected.count);
      const best = found[i]!.slice(0, expected.labels.length);
      expect(best.map(({ classIndex }) => classIndex)).toEqual(expected.labels);
      for (const [k, { box, score }] of best.entries()) {
        expect(Math.abs(score - expected.scores[k]!)).toBeLessThan(1e-4);
        expect(Math.max(...box.map((value, j) => Math.abs(value - expected.boxes[k]![j]!)))).toBeLessThan(0.01);
      }
    }
  });
});
