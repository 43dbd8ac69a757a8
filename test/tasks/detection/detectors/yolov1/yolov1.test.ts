import { describe, expect, test } from '@jest/globals';
import type { ClassIndex, Sample } from '../../../../../src/data/sample.js';
import { detectorDefaults } from '../../../../../src/tasks/detection/detectorDefaults.js';
import { xyxy } from '../../../../../src/geometry/box.js';
import { isOp } from '../../../../../src/graph/builder.js';
import { gradients } from '../../../../../src/graph/grad.js';
import { ancestors } from '../../../../../src/graph/rewrite.js';
import { yolov1 } from '../../../../../src/tasks/detection/detectors/yolov1/yolov1.js';
import { openEngines } from '../../../../engines.js';
import { uniform } from '../../../../models/formula.js';
import { lossOver } from '../../../lossOver.js';

const [CELLS, BOXES, CLASSES, SIDE] = [4, 2, 3, 128];
const COLUMNS = BOXES * 5 + CLASSES;
const size = [SIDE, SIDE] as const;
const options = { ...detectorDefaults.yolov1, backbone: 'mobilenetv2_035', numClasses: CLASSES, size, channels: 8 };
const yolo = yolov1.create({ ...options, scoreThreshold: 0.1 });

const sample = (boxes: readonly number[], classes: readonly number[], ignore = classes.map(() => false)): Sample =>
  ({ boxes: xyxy(boxes), classes: classes as unknown as ClassIndex[], ignore }) as unknown as Sample;

/** Redmon et al. 2016, eq. 3, for one image, as it is printed. */
function paper(cells: Float32Array, truth: { cell: number; classIndex: number; box: readonly number[] }[]): number {
  const grid = SIDE / 64;
  const iou = (a: readonly number[], b: readonly number[]): number => {
    const range = (box: readonly number[], k: number): [number, number] => [
      box[k]! / grid - box[k + 2]! ** 2 / 2,
      box[k]! / grid + box[k + 2]! ** 2 / 2,
    ];
    const common = (k: number): number =>
      Math.max(Math.min(range(a, k)[1], range(b, k)[1]) - Math.max(range(a, k)[0], range(b, k)[0]), 0);
    const inner = common(0) * common(1);
    return inner / ((a[2]! * a[3]!) ** 2 + (b[2]! * b[3]!) ** 2 - inner);
  };
  let loss = 0;
  for (let cell = 0; cell < CELLS; cell++) {
    const row = [...cells.subarray(cell * COLUMNS, (cell + 1) * COLUMNS)];
    const boxes = [row.slice(0, 5), row.slice(5, 10)];
    const object = truth.find((one) => one.cell === cell);
    const overlaps = boxes.map((box) => (object ? iou(box, object.box) : 0));
    const best = overlaps.indexOf(Math.max(...overlaps));
    for (const [i, box] of boxes.entries()) {
      if (object && i === best) {
        loss += 5 * object.box.reduce((sum, value, k) => sum + (value - box[k]!) ** 2, 0);
        loss += (box[4]! - overlaps[i]!) ** 2;
      } else loss += 0.5 * box[4]! ** 2;
    }
    if (object) for (let k = 0; k < CLASSES; k++) loss += (row[10 + k]! - (k === object.classIndex ? 1 : 0)) ** 2;
  }
  return loss;
}

describe('YOLOv1', () => {
  const objects = sample([10, 20, 58, 60, 64, 70, 120, 126, 30, 30, 40, 40], [2, 0, 1]); // the third shares the first one's cell
  const targets = yolo.encode(objects);

  test('a cell learns the first object whose centre it holds, and an ignored one is not background', () => {
    expect([...targets.labels!]).toEqual([3, 0, 0, 1]);
    expect([...targets.cells!.slice(0, 4)]).toEqual(
      [34 / 64, 40 / 64, Math.sqrt(48 / 128), Math.sqrt(40 / 128)].map((value) => expect.closeTo(value, 6)),
    );
    expect([...yolo.encode(sample([10, 20, 58, 60], [0], [true])).labels!]).toEqual([-1, 0, 0, 0]);
  });

  test('what is encoded decodes to the same boxes', () => {
    const cells = new Float32Array(CELLS * COLUMNS);
    for (let cell = 0; cell < CELLS; cell++) {
      const label = targets.labels![cell]!;
      if (label <= 0) continue;
      cells.set([...targets.cells!.slice(cell * 4, cell * 4 + 4), cell === 0 ? 0.9 : 0.8], cell * COLUMNS);
      cells[cell * COLUMNS + 10 + label - 1] = 1;
    }
    const { boxes, scores, classes } = yolo.decode({ cells });
    expect(classes).toEqual([2, 0]);
    expect(scores.map((score) => score.toFixed(3))).toEqual(['0.900', '0.800']);
    for (const [i, value] of [10, 20, 58, 60, 64, 70, 120, 126].entries()) expect(boxes[i]).toBeCloseTo(value, 3);
  });

  test("the loss is the paper's, per image, and reaches every prediction that it speaks of", async () => {
    const cells = uniform('cells', 2 * CELLS * COLUMNS, 0.5, 0.4);
    const truth = [0, 3].map((cell) => ({
      cell,
      classIndex: targets.labels![cell]! - 1,
      box: [...targets.cells!.slice(cell * 4, cell * 4 + 4)],
    }));
    const wanted = (paper(cells, truth) + paper(cells.subarray(CELLS * COLUMNS), [])) / 2;
    const empty = yolo.encode(sample([], []));
    for (const engine of await openEngines()) {
      const { total, parts } = lossOver(yolo.build({ batch: 2, size, trainBatchNorm: () => false }));
      const predicted = ancestors([total]).find((node) => isOp(node, 'input') && node.attrs.name === 'output.cells')!;
      const [gradient] = gradients(total, predicted.outputs);
      const session = await engine.compile({ all: { outputs: { total, ...parts, gradient: gradient! } } });
      const both = (name: string) => [...targets[name]!, ...empty[name]!];
      const feeds = { labels: Int32Array.from(both('labels')), cells: Float32Array.from(both('cells')) };
      const results = await session.run('all', { 'output.cells': cells, ...feeds });
      session.dispose();
      expect(results.total![0]).toBeCloseTo(wanted, 4);
      expect(results.gradient!.every(Number.isFinite)).toBe(true);
    }
  });
});
