import { describe, expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { bench as Bench } from '../src/bench/bench.js';
import { findBrowser } from '../src/bench/browser.js';
import { quantiles, recommend, takeTurns } from '../src/bench/contest.js';
import { findWays } from '../src/bench/ways.js';
import { numberCategories } from '../src/data/categories.js';
import { createClassification } from '../src/evaluate/createTask.js';
import { keepBench, readBench, type BenchReport, type SpeedRow } from '../src/report/speed.js';
import { createModel } from '../src/tasks/model.js';
import { saveModel } from '../src/train/modelWeights.js';
import { temporaryFolder } from './data/temporaryFolder.js';
import { tinyTable } from './tinyBackbone.js';

const folder = temporaryFolder();
const slow = process.env['FINETUNE_SLOW'] === '1' ? test : test.skip;

describe('a contest', () => {
  test('lets all take turns, and does not count the first round', async () => {
    const order: string[] = [];
    const contestant = (name: string, times: readonly number[]) => () => {
      order.push(name);
      return Promise.resolve(order.length <= 2 ? [1000] : times);
    };
    const timed = await takeTurns([contestant('a', [3, 1, 2]), contestant('b', [9])], 2);
    expect(order).toEqual(['a', 'b', 'a', 'b', 'a', 'b']);
    expect(timed).toEqual([
      { p50: 2, p95: 3, calls: 6 },
      { p50: 9, p95: 9, calls: 2 },
    ]);
  });

  test('does not wait long for one that is slow', async () => {
    let calls = 0;
    const contestant = () => Promise.resolve([++calls && 5000]);
    expect(await takeTurns([contestant], 8)).toEqual([{ p50: 5000, p95: 5000, calls: 2 }]);
  });

  test('has quantiles that are calls', () => {
    const times = Array.from({ length: 100 }, (_, i) => 100 - i);
    expect(quantiles(times)).toEqual({ p50: 51, p95: 96, calls: 100 });
  });

  test('is won by the fastest, and by the smaller one of those that are as fast', () => {
    const row = (engine: string, p50: number, memoryBytes: number | null): SpeedRow => ({
      ...{ format: 'onnx', engine, host: 'Node', model: 'runs/a', p50, p95: p50, calls: 1, memoryBytes, diskBytes: 1 },
    });
    const [slowOne, fast, asFast, untold] = [
      row('a', 20, 1),
      row('b', 10, 300),
      row('c', 10.2, 200),
      row('d', 10, null),
    ];
    expect(recommend([slowOne, fast])).toMatchObject({
      engine: 'b',
      reason: expect.stringMatching(/^10.0 ms .* 2.00 times/),
    });
    expect(recommend([slowOne, untold, fast, asFast])).toMatchObject({
      engine: 'c',
      reason: expect.stringContaining('1.96 times as fast as onnx with a; as fast as onnx with b within 5 %'),
    });
    const score = { name: 'AP', checkpoint: 0.5453, exported: 0.5408 };
    const int8 = { ...row('e', 9.8, 100), format: 'onnx int8', score };
    expect(recommend([int8, fast])?.reason).toContain('as fast as onnx int8 with e within 5 %, and not quantised');
    expect(recommend([{ ...fast, score }])?.reason).toMatch(/AP 0.5408 where the checkpoint has 0.5453$/);
    expect(recommend([])).toBeUndefined();
  });
});

describe('the ways to run a run directory', () => {
  const run = join(folder, 'run');
  const write = async (file: string, content: string): Promise<void> => {
    await mkdir(dirname(join(run, file)), { recursive: true });
    await writeFile(join(run, file), content);
  };

  test('are the checkpoint on each engine, and each exported model in Node and in a page', async () => {
    await write('checkpoints/best.safetensors', '12345');
    await write('onnx/model-card.json', '{"format":"onnx"}');
    await write('onnx/model.onnx', '123');
    const metric = { name: 'AP', checkpoint: 0.5, exported: 0.4 };
    await write('onnx-int8/model-card.json', JSON.stringify({ format: 'onnx', quantize: 'int8', parity: { metric } }));
    await write('frigate/model-card.json', '{"format":"onnx","for":"frigate"}');
    await write('pictures/one.txt', '');
    const { isCheckpoint, ways, run: kept } = await findWays(run);
    expect([isCheckpoint, kept]).toEqual([true, run]);
    expect(ways.map(({ format, engine }) => `${format} ${engine}`)).toEqual([
      ...['onnxruntime', 'tensorflow', 'wasm'].map((engine) => `safetensors ${engine}`),
      ...['onnxruntime', 'onnxruntime-web on wasm', 'onnxruntime-web on webgpu'].map((engine) => `onnx ${engine}`),
      ...['onnxruntime', 'onnxruntime-web on wasm'].map((engine) => `onnx int8 ${engine}`),
    ]);
    expect(ways.map(({ diskBytes }) => diskBytes).slice(0, 4)).toEqual([5, 5, 5, 20]);
    expect(ways.at(-1)?.score).toEqual(metric);
    expect(await findWays(join(run, 'onnx'))).toMatchObject({ isCheckpoint: false, run: undefined });
  });

  test('are kept with what was measured, and a second measurement replaces the first in the report', async () => {
    const report = (p50: number): BenchReport => ({
      version: 1,
      machine: { cpu: 'a <fast> one', cores: 2, node: 'v20', platform: 'linux x64' },
      rows: [
        {
          format: 'onnx',
          engine: 'b',
          host: 'Node',
          model: run,
          p50,
          p95: 9,
          calls: 8,
          memoryBytes: null,
          diskBytes: 1e6,
        },
      ],
      recommended: { format: 'onnx', engine: 'b', host: 'Node', model: run, reason: `${p50} ms` },
      inBrowser: null,
      leftOut: [{ format: 'tfjs', engine: 'c', why: 'no browser' }],
    });
    expect(await readBench(run)).toBeUndefined();
    await write('report.html', '<body><h1>Report</h1></body>');
    await keepBench(run, report(7.25));
    await keepBench(run, report(8.25));
    const page = await readFile(join(run, 'report.html'), 'utf8');
    expect(page).toMatch(/^<body><h1>Report<\/h1><!-- speed -->[^]*<\/section><!-- \/speed --><\/body>$/);
    expect(page).toContain('a &lt;fast&gt; one');
    expect(page).toContain('8.25 ms');
    expect(page.match(/<h2>Speed/g)).toHaveLength(1);
    expect(page).not.toContain('7.25');
    expect(page).not.toContain(run);
    expect(await readBench(run)).toMatchObject({ rows: [{ p50: 8.25, model: 'run' }] });
    expect(await readFile(join(run, 'bench.json'), 'utf8')).not.toContain(folder);
    await write('bench.json', '{"version":1,"rows":[]}');
    expect(await readBench(run)).toBeUndefined();
  });
});

test('a browser is the one that CHROME_PATH names, or the first on the path', async () => {
  for (const name of ['mine', 'chromium']) await writeFile(join(folder, name), '');
  expect(findBrowser({ PATH: `/no/such${delimiter}${folder}` })).toBe(join(folder, 'chromium'));
  expect(findBrowser({ PATH: folder, CHROME_PATH: join(folder, 'mine') })).toBe(join(folder, 'mine'));
});

async function saveClassifier(): Promise<string> {
  const file = join(folder, 'classifier.safetensors');
  const options = { backbone: tinyTable, size: [32, 32], numClasses: 2, labelSmoothing: 0, dropout: 0 } as const;
  const categories = numberCategories(['dog', 'cat']);
  await saveModel(createModel(createClassification({ ...options, stochasticDepth: 0 }), { categories, seed: 1 }), file);
  return file;
}

slow('bench measures a checkpoint on the engines that are in place, each in a process of its own', async () => {
  const file = await saveClassifier();
  const compiled = new URL('../dist/bench/bench.js', import.meta.url).href;
  const { bench } = (await import(compiled)) as { bench: typeof Bench };
  const { rows, recommended, inBrowser, leftOut } = await bench(file, { rounds: 1 });
  const inNode = rows.filter(({ host }) => host === 'Node').map(({ format, engine }) => `${format} ${engine}`);
  const engines = ['onnxruntime', 'tensorflow', 'wasm'];
  expect(inNode.sort()).toEqual([
    ...['onnx onnxruntime', ...engines.map((engine) => `safetensors ${engine}`), 'tfjs tfjs on wasm'],
  ]);
  expect(leftOut).toContainEqual({
    format: 'onnx int8',
    engine: 'onnxruntime',
    why: expect.stringContaining('--int8'),
  });
  const isBest = ({ format, engine }: SpeedRow) => format === recommended.format && engine === recommended.engine;
  const medians = rows.filter(({ host }) => host === 'Node').map(({ p50 }) => p50);
  expect(rows.find(isBest)!.p50).toBeLessThanOrEqual(1.05 * Math.min(...medians));
  for (const { p50, p95, memoryBytes } of rows) expect([p50 <= p95, memoryBytes! > 1e7]).toEqual([true, true]);
  if (!findBrowser()) return;
  expect(inBrowser?.host).toMatch(/^Chromium \d/);
  expect(rows.filter(({ host }) => host !== 'Node').map(({ engine }) => engine)).toEqual(
    expect.arrayContaining(['tfjs on wasm', 'onnxruntime-web on wasm']),
  );
});

slow('Ctrl-C while a browser computes stops bench without an error', async () => {
  const program = fileURLToPath(new URL('../bin/finetune.mjs', import.meta.url));
  const child = spawn(process.execPath, [program, 'bench', await saveClassifier()]);
  let printed = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (text: Buffer) => {
      printed += text.toString();
      if (/onnxruntime-web[^]*predict 1\//.test(printed) && !child.killed) child.kill('SIGINT'); // playwright closes the browser then
    });
  }
  const [code] = (await once(child, 'close')) as [number];
  expect(printed).not.toContain('internal');
  expect(code).toBe(findBrowser() ? 130 : 0);
});
