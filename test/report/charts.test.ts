import { describe, expect, test } from '@jest/globals';
import { parseXml } from '@rgrove/parse-xml';
import { drawCurves } from '../../src/report/charts.js';
import type { EpochLine, MetricsLine } from '../../src/train/log/record.js';
import { fakeLines } from './fakeReport.js';

const titles = ['Loss', 'Score on the validation part', 'Learning rate of the head', 'Images per second, training'];

describe('drawCurves', () => {
  test('draws loss, score, learning rate and speed, all of one size, following the colours of the page', async () => {
    const charts = await drawCurves(fakeLines(), { epoch: 18, name: 'AP', value: 0.42 });
    expect(charts.map(({ title }) => title)).toEqual(titles);
    const boxes = charts.map(({ svg }) => parseXml(svg).root!.attributes['viewBox']);
    expect(new Set(boxes)).toEqual(new Set(['0 0 380 230']));
    for (const { svg } of charts) expect(svg).not.toMatch(/(fill|stroke)="(#000|black|#[0-9a-f]{6})"/);
    for (const name of ['train', 'validation', 'best: epoch 18']) expect(charts[0]!.svg).toContain(`>${name}<`);
    for (const name of ['AP', 'AP50', 'best AP 0.420, epoch 18']) expect(charts[1]!.svg).toContain(`>${name}<`);
    expect(charts[1]!.svg).not.toContain('AP75');
  });

  test('marks the best epoch, and shows the first metrics where there is no AP', async () => {
    const epoch = (n: number, metric: Record<string, number>): EpochLine => ({
      ...{ type: 'epoch', epoch: n, step: n, trainLoss: 1, valLoss: 1, metric, seconds: 1 },
    });
    const charts = await drawCurves(
      [0.4, 0.6, 0.6, 0.5].map((top1, i) => epoch(i + 1, { top1, top5: 0.9 })),
      { epoch: 2, name: 'top1', value: 0.6 },
    );
    expect(charts.map(({ title }) => title)).toEqual(titles.slice(0, 2));
    expect(charts[1]!.svg).toContain('best top1 0.600, epoch 2');
  });

  test('leaves out what was not measured and what is not a number', async () => {
    expect(await drawCurves([])).toEqual([]);
    const lines = fakeLines(2, 5).map((line): MetricsLine =>
      line.type === 'step'
        ? { ...line, loss: NaN, lr: NaN }
        : { type: 'epoch', epoch: line.epoch, step: line.step, trainLoss: Infinity, valLoss: 2, seconds: 1 },
    );
    const charts = await drawCurves(lines);
    expect(charts.map(({ title }) => title)).toEqual(['Loss', 'Images per second, training']);
    for (const { svg } of charts) expect(svg).not.toMatch(/NaN|Infinity/);
  });

  test('a long run makes no larger a chart than a short one', async () => {
    const [long] = await drawCurves(fakeLines(24, 2000));
    expect(long!.svg.length).toBeLessThan(40_000);
  });
});
