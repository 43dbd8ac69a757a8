import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createText } from '../../../src/evaluate/createTask.js';
import { openDrawnText } from '../../../src/data/formats/text/drawnText.js';
import { loadSample } from '../../../src/data/pipeline/loadSample.js';
import { createModel } from '../../../src/tasks/model.js';
import type { NumbersSection } from '../../../src/tasks/section.js';

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'texttask-'));
});
afterAll(() => rm(root, { recursive: true, force: true }));

const task = createText({
  head: 'craft-lite',
  backbone: 'tf_mobilenetv2_100',
  loss: 'hardNegatives',
  negatives: 3,
  size: [128, 128],
  evaluateSize: [192, 256],
  thresholds: { text: 0.7, lowText: 0.4, link: 0.4, polygons: true },
  protocol: 'iou',
});

test('a model that says what it was taught scores nearly 1, in the pixels of the images', async () => {
  const { val } = await openDrawnText({ root: join(root, 'set'), seed: 5, train: 1, val: 6, side: 320 });
  const evaluator = task.evaluator(val);
  for (const annotation of val.annotations) {
    const sample = await loadSample(annotation, { size: task.evaluateSize! });
    const { region, affinity } = task.encode(sample) as Record<string, Float32Array>;
    const maps = new Float32Array(2 * region!.length);
    region!.forEach((value, i) => maps.set([value, affinity![i]!], 2 * i));
    evaluator.add(evaluator.read({ maps }, [sample]));
  }
  const scored = evaluator.finish();
  const { metric, numbers, predictions } = scored;
  expect(metric).toMatchObject({ metric: 'icdar', protocol: 'iou', images: 6 });
  expect(numbers.hmean).toBeGreaterThan(0.75); // the images are seen at 0.6 of their size: the smallest words run together
  expect(Object.keys(numbers)).toEqual(['hmean', 'precision', 'recall']);
  expect(predictions).toHaveLength(6);
  const [rates, sweep, boxes] = scored.sections({ images: 2 });
  expect(rates).toMatchObject({ rows: [{ numbers: [['precision', metric.precision], ['recall', metric.recall], ['Hmean', metric.hmean]] }] }); // prettier-ignore
  expect(sweep).toMatchObject({ kind: 'numbers', title: 'Hmean by thresholds' });
  const { rows, text } = sweep as NumbersSection;
  const surface = rows.slice(0, -1).flatMap(({ numbers: cells }) => cells.map(([, value]) => value));
  expect(surface).toHaveLength(25);
  // The sweep contains the fixed thresholds, except that its score maps are rounded to bytes.
  expect(Math.min(...surface.map((value) => Math.abs(value - metric.hmean)))).toBeLessThan(0.03);
  expect(text).toContain(`sweep: ${Math.max(...surface).toFixed(3)}`);
  expect(rows.at(-1)!.numbers[0]![1]).toBeLessThanOrEqual(Math.max(...surface) + 1e-9);
  expect(boxes).toMatchObject({ kind: 'boxes', names: ['text'] });
});

test('crops and whole images have graphs of their own size, with the same parameters', () => {
  const model = createModel(task, { categories: [], seed: 1 });
  expect(model.columns).toEqual([]);
  expect(model.count.params).toBeLessThan(2.6e6);
  for (const [size, cells] of [
    [[128, 128], 64 * 64],
    [task.evaluateSize!, 96 * 128],
  ] as const) {
    const { outputs, loss } = task.build({ batch: 2, size, trainBatchNorm: () => false });
    expect(outputs.maps!.shape).toEqual([2, size[0] / 2, size[1] / 2, 2]);
    const { total, parts } = loss();
    expect([total.shape, Object.keys(parts)]).toEqual([[], ['regionLoss', 'affinityLoss']]);
    expect(
      total.node.graph.nodes.filter(({ op, outputs: [y] }) => op === 'input' && y!.shape[1] === cells),
    ).toHaveLength(3);
  }
  expect(Object.values(task.blank()).map(({ length }) => length)).toEqual([96 * 128, 96 * 128, 96 * 128]);
});
