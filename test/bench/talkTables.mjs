/** The tables and pictures of docs/talk.md from the runs of talk.sh.
 *
 *      node test/bench/talkTables.mjs RUNS [--pictures DIR]
 *
 *  Prints Markdown; with --pictures, transfer.svg and latency.svg are written into DIR. `npm run build` first. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { compareScores } from '../../dist/evaluate/compareScores.js';
import { randomStream } from '../../dist/random.js';
import { toChart } from '../../dist/report/charts.js';

const { values, positionals } = parseArgs({ allowPositionals: true, options: { pictures: { type: 'string' } } });
const [runs] = positionals;
const root = join(import.meta.dirname, '../..');
const json = (file) => JSON.parse(readFileSync(file, 'utf8'));

const metricsOf = (name) => {
  const file = join(runs, name, 'metrics.json');
  return existsSync(file) ? json(file) : undefined;
};

const backbones = ['mobilenetv1_100', 'mobilenetv2_100', 'mobilenetv3_large_100', 'rexnet_100', 'talk_small_reconstruction', 'talk_large_reconstruction']; // prettier-ignore
const sets = ['bccd', 'drawn', 'raccoon'];
const percent = (share) => (share === undefined ? '–' : (100 * share).toFixed(1));
const minutes = (seconds) => (seconds / 60).toFixed(1);
const table = (rows) => {
  const lines = rows.map((cells) => `| ${cells.join(' | ')} |`);
  return [lines[0], `|${' --- |'.repeat(rows[0].length)}`, ...lines.slice(1)].join('\n');
};

/** Ranks from 1; equal values share their mean rank. */
const ranksOf = (list) => {
  const sorted = [...list].sort((a, b) => a - b);
  return list.map((value) => 1 + (sorted.indexOf(value) + sorted.lastIndexOf(value)) / 2);
};
const meanOf = (list) => list.reduce((sum, value) => sum + value, 0) / list.length;
const pearson = (xs, ys) => {
  const [mx, my] = [meanOf(xs), meanOf(ys)];
  const sum = (of) => xs.reduce((total, _, i) => total + of(xs[i] - mx, ys[i] - my), 0);
  return sum((x, y) => x * y) / Math.sqrt(sum((x) => x * x) * sum((_, y) => y * y));
};
const spearman = (xs, ys) => pearson(ranksOf(xs), ranksOf(ys));

/** The correlation of Spearman, the share of all orders of the ys that has at least its size, and the 95 % interval of ρ over
 *  resampled pairs. */
function correlation(xs, ys, random = randomStream(1, 'bootstrap')) {
  const rho = spearman(xs, ys);
  const orders = xs.length <= 8 ? permutations(ys) : Array.from({ length: 20_000 }, () => random.shuffle([...ys]));
  const p = orders.filter((order) => Math.abs(spearman(xs, order)) >= Math.abs(rho) - 1e-9).length / orders.length;
  const resampled = Array.from({ length: 10_000 }, () => xs.map(() => random.integer(0, xs.length)))
    .map((picks) =>
      spearman(
        picks.map((i) => xs[i]),
        picks.map((i) => ys[i]),
      ),
    ) // prettier-ignore
    .filter(Number.isFinite) // where all picks are one pair
    .sort((a, b) => a - b);
  const interval = [0.025, 0.975].map((share) => resampled[Math.floor(share * (resampled.length - 1))]);
  return { rho, p, interval };
}
const permutations = (list) =>
  list.length < 2
    ? [list]
    : list.flatMap((value, i) => permutations(list.toSpliced(i, 1)).map((rest) => [value, ...rest]));
const printed = ({ rho, p, interval: [low, high] }) =>
  `ρ = ${rho.toFixed(2)}, p = ${p.toFixed(2)} (exact where n ≤ 8), bootstrap interval ${low.toFixed(2)} … ${high.toFixed(2)}`;

/** A picture of points with names, for a page of its own: axes in one grey that can be read on light and dark. */
async function scatter(file, { title, x, y, points, log = false, line = false }) {
  const scale = log ? { type: 'log', nice: false } : { zero: false };
  const encoding = { x: { field: 'x', type: 'quantitative', title: x, scale }, y: { field: 'y', type: 'quantitative', title: y, scale } }; // prettier-ignore
  const colour = points.some(({ series }) => series) ? { color: { field: 'series', title: null } } : {};
  const { svg } = await toChart(title, {
    width: 520,
    height: 340,
    background: null,
    data: { values: points },
    encoding,
    layer: [
      { mark: line ? { type: 'line', point: true } : { type: 'point', filled: true, size: 30 }, encoding: colour },
      {
        data: { values: points.filter(({ label }) => label) },
        mark: { type: 'text', dx: 6, align: 'left', fontSize: 9, color: '#777' },
        encoding: { text: { field: 'label' } },
      },
    ],
    config: {
      aria: false, // attributes for each point
      axis: { labelColor: '#777', titleColor: '#777', gridOpacity: 0.3, tickColor: '#777', domainColor: '#777' },
      legend: { labelColor: '#777' },
      view: { stroke: null },
    },
  });
  writeFileSync(file, `${svg.replace(/(\.\d\d)\d+/g, '$1')}\n`);
}

async function transfer() {
  const rows = backbones.flatMap((name) => {
    const before = metricsOf(`pre-${name}-1`);
    const after = sets.map((set) => metricsOf(`det-${name}-${set}-1`));
    return before ? [{ name, before, after }] : [];
  });
  if (rows.length === 0) return;
  const seconds = rows
    .flatMap(({ before, after }) => [before, ...after])
    .reduce((sum, run) => sum + (run?.seconds ?? 0), 0);
  console.log(`## Transfer (${minutes(seconds)} minutes of training)\n`);
  const heading = ['backbone', 'params M', 'top-1 before %', ...sets.flatMap((set) => [`${set} AP50`, 'AP'])];
  console.log(
    table([
      heading,
      ...rows
        .sort((a, b) => a.before.metric.top1 - b.before.metric.top1)
        .map(({ name, before, after }) => [
          name,
          (before.params / 1e6).toFixed(2),
          percent(before.metric.top1),
          ...after.flatMap((run) => [percent(run?.metric.AP50), percent(run?.metric.AP)]),
        ]),
    ]),
  );
  for (const [i, set] of sets.entries()) {
    const done = rows.filter(({ after }) => after[i]);
    if (done.length < 3) continue;
    const tops = done.map(({ before }) => before.metric.top1);
    for (const key of ['AP50', 'AP'])
      console.log(`\n${set}, ${key}, n = ${done.length}: ${printed(correlation(tops, done.map(({ after }) => after[i].metric[key])))}`); // prettier-ignore
  }
  if (values.pictures)
    await scatter(join(values.pictures, 'transfer.svg'), {
      title: 'transfer',
      x: 'top-1 of the classifier, %',
      y: 'AP50 of the detector, %',
      points: rows.flatMap(
        ({ name, before, after }) =>
        after.flatMap((run, i) => run ? [{ x: 100 * before.metric.top1, y: 100 * run.metric.AP50, series: sets[i], label: name.replace(/_(100|reconstruction)/g, '') }] : []), // prettier-ignore
      ),
    });
}

/** Multiply-adds against measured latency, for every backbone of docs/models.md. */
async function latency() {
  const models = JSON.parse(execFileSync(process.execPath, [join(root, 'dist/cli/main.js'), 'models', '--json']));
  const { milliseconds, conditions } = json(join(root, 'docs/latency.json'));
  const all = models.filter(({ name }) => milliseconds[name] !== undefined);
  const labelled = 'mobilenetv1_100 mobilenetv2_100 mixnet_s shufflenet_v2_x1_0 shufflenet_v2_x0_5 densenet121 condensenet74_c8_g8 vgg16 resnet50 squeezenet1_1 rexnet_300 densenet169'.split(' '); // prettier-ignore
  const points = all.map(({ name, macs }) => ({ x: macs / 1e9, y: milliseconds[name], label: labelled.includes(name) ? name : '' })); // prettier-ignore
  console.log(`\n## Latency against multiply-adds (${conditions})\n`);
  for (const [what, chosen] of [
    ['all', points],
    ['below 0.7 G', points.filter(({ x }) => x < 0.7)],
  ])
    console.log(`${what}, n = ${chosen.length}: ρ = ${spearman(chosen.map(({ x }) => x), chosen.map(({ y }) => y)).toFixed(2)}`); // prettier-ignore
  const rates = points.map(({ x, y }, i) => ({ name: all[i].name, rate: y / x, x, y })).filter(({ x }) => x > 0.1);
  rates.sort((a, b) => a.rate - b.rate);
  const show = ({ name, rate, x, y }) => [name, x.toFixed(2), y.toFixed(1), rate.toFixed(0)];
  console.log(
    `\n${table([['backbone', 'MACs G', 'ms', 'ms per G'], ...rates.slice(0, 5).map(show), ...rates.slice(-8).map(show)])}`,
  );
  if (values.pictures)
    await scatter(join(values.pictures, 'latency.svg'), { title: 'latency', x: 'multiply-adds of one image, G', y: 'milliseconds', points, log: true }); // prettier-ignore
}

/** One backbone after 0, 4 and 8 epochs of pre-training. */
function length() {
  const rows = [['0', undefined], ['4', ''], ['8', '8']].map(([epochs, run]) => {
    const before = run === undefined ? undefined : metricsOf(`pre${run}-mobilenetv2_100-1`);
    const after = ['bccd', 'drawn'].map((set) => metricsOf(`det${run ?? '0'}-mobilenetv2_100-${set}-1`)?.metric);
    return [epochs, percent(before?.metric.top1), ...after.flatMap((score) => [percent(score?.AP50), percent(score?.AP)])];
  }); // prettier-ignore
  console.log(`\n## Epochs of pre-training, mobilenetv2_100\n\n${table([['epochs', 'top-1 %', 'bccd AP50', 'AP', 'drawn AP50', 'AP'], ...rows])}`); // prettier-ignore
}

/** The channels of the tables of carve.mjs from block to block, as on the talk's slide. */
async function profile() {
  if (!values.pictures) return;
  const names = { 0: 'MobileNetV2', 1: 'linear', 4: 'last step' };
  const points = Object.entries(names).flatMap(
    ([step, series]) =>
    JSON.parse(execFileSync(process.execPath, [join(import.meta.dirname, 'carve.mjs'), step])).rows.map(({ channels }, i) => ({ x: i + 1, y: channels, series })), // prettier-ignore
  );
  await scatter(join(values.pictures, 'carve.svg'), { title: 'carve', x: 'block', y: 'channels', points, line: true });
}

/** Networks with published weights, by their published top-1, that of MobileNetV2 from its classifier. */
function published() {
  const tops = { mobilenetv2: 72.0, lite0: 74.83, lite1: 76.64, lite2: 77.47 }; // prettier-ignore
  const rows = Object.entries(tops).map(([name, top]) => [name, top, ...sets.flatMap((set) => {
    const metric = metricsOf(`pub-${name}-${set}-1`)?.metric;
    return [percent(metric?.AP50), percent(metric?.AP)];
  })]); // prettier-ignore
  console.log(`\n## Published weights\n\n${table([['backbone', 'top-1 %', ...sets.flatMap((set) => [`${set} AP50`, 'AP'])], ...rows])}`); // prettier-ignore
}

/** Single runs: the head of SSD300, and CRAFT beside CRAFT-lite. */
function single() {
  for (const name of ['ssd300-lite0-1', 'ssd300-vgg16-1', 'craft-lite-1', 'craft-1']) {
    const run = metricsOf(name);
    if (run) console.log(`${name}: ${(run.params / 1e6).toFixed(1)} M, ${minutes(run.seconds)} minutes, ${JSON.stringify(run.metric, (key, value) => (key === 'perCategory' ? undefined : value))}`); // prettier-ignore
  }
}

/** Scores of settings over the seeds that were run, beside the first of them. */
function beside(title, settings, scoreOf) {
  const runsOf = (name) => [1, 2, 3].map((seed) => metricsOf(`${name}-${seed}`));
  const rows = compareScores(
    settings.map((name) => ({
      name,
      scores: new Map(runsOf(name).flatMap((run, i) => (run ? [[i + 1, scoreOf(run)]] : []))),
    })).filter(({ scores }) => scores.size > 0), // prettier-ignore
  );
  if (rows.length === 0) return;
  const seconds = settings.flatMap(runsOf).reduce((sum, run) => sum + (run?.seconds ?? 0), 0);
  console.log(`\n## ${title} (${minutes(seconds)} minutes of training)\n`);
  const range = (interval) => (interval ? interval.map(percent).join(' … ') : '–');
  const show = ({ name, seeds, mean, behind, behindInterval, verdict }) => [name, seeds, percent(mean), percent(behind), range(behindInterval), verdict]; // prettier-ignore
  console.log(table([['setting', 'seeds', 'mean', 'behind the best', '95 %', 'verdict'], ...rows.map(show)]));
}

await transfer();
length();
for (const key of ['AP50', 'AP'])
  for (const head of ['fasterrcnn', 'retinanet'])
    beside(`${head} and Libra, BCCD test, ${key}`, [head, `libra-${head}`], (run) => run.metric[key]);
const tips = [
  'nesterov',
  'momentum',
  'plain',
  'plain-10x',
  'adamw-0.001',
  'adamw-0.003',
  'ema',
  'cutmix',
  'mixup',
  'cutout',
];
beside('Tips, top-1', tips.map((tip) => `tip-${tip}`), (run) => run.metric.top1); // prettier-ignore
beside('Carving, top-1', [0, 1, 2, 3, 4].map((step) => `carve-${step}`), (run) => run.metric.top1); // prettier-ignore
await profile();
published();
single();
await latency();
