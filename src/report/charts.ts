import type { TopLevelSpec } from 'vega-lite';
import type { EpochLine, MetricsLine, StepLine } from '../train/log/record.js';

export interface Chart {
  readonly title: string;
  /** An <svg> element; colours are CSS variables of the page and currentColor, so it follows light and dark. */
  readonly svg: string;
}

interface Point {
  readonly epoch: number;
  readonly value: number;
  readonly series: string;
}

/** One curve: a thin line for values of every few steps, or a line with points for values of every epoch. */
interface Curve {
  readonly name: string;
  readonly colour: string;
  readonly thin?: boolean;
  readonly points: readonly (readonly [epoch: number, value: number])[];
}

/** The axes of a chart. `mark` is a vertical line at an epoch. */
interface Axes {
  readonly title: string;
  readonly epochs: number;
  readonly format: string;
  readonly top?: number;
  readonly mark?: { readonly epoch: number; readonly text: string } | undefined;
}

/** Width and height of a chart, CSS pixels. It is as wide as a phone, so that its text does not shrink there. */
export const plot = { width: 380, height: 230 };
/** Maximum number of points of a curve: more points than pixels would only make the file larger. */
const maxPoints = 330;

/** The epoch that was kept, and the number by which it was chosen. */
export interface BestEpoch {
  readonly epoch: number;
  readonly name: string;
  readonly value: number;
}

/** Draws the curves of a run: loss, score by epoch, learning rate, speed. Curves without a value are left out. */
export async function drawCurves(lines: readonly MetricsLine[], best?: BestEpoch): Promise<Chart[]> {
  const steps = lines.filter((line): line is StepLine => line.type === 'step');
  const epochs = lines.filter((line): line is EpochLine => line.type === 'epoch');
  const last = Math.max(1, Math.ceil(Math.max(0, ...lines.slice(-1).map(({ epoch }) => epoch))));
  const at = (pick: (line: StepLine) => number) => steps.map((line) => [line.epoch, pick(line)] as const);
  const each = (pick: (line: EpochLine) => number | undefined) =>
    epochs.map((line) => [line.epoch, pick(line) ?? NaN] as const);

  const loss: Curve[] = [
    { name: 'train, by step', colour: 'var(--curve-1-soft)', thin: true, points: at((line) => line.loss) },
    { name: 'train', colour: 'var(--curve-1)', points: each((line) => line.trainLoss) },
    { name: 'validation', colour: 'var(--curve-2)', points: each((line) => line.valLoss) },
  ];
  const names = Object.keys(epochs.find((line) => line.metric)?.metric ?? {});
  const shown = names.includes('AP') ? names.filter((name) => name === 'AP' || name === 'AP50') : names.slice(0, 2);
  const score: Curve[] = shown.map((name, i) => ({
    name,
    colour: `var(--curve-${i + 1})`,
    points: each((line) => line.metric?.[name]),
  }));
  const lr: Curve = { name: 'head', colour: 'var(--curve-1)', thin: true, points: at((line) => line.lr) };
  const speed: Curve = { ...lr, points: at((line) => line.imagesPerSecond) };

  const mark = best && { epoch: best.epoch, text: `best: epoch ${best.epoch}` };
  const bestScore = best && { ...mark!, text: `best ${best.name} ${best.value.toFixed(3)}, epoch ${best.epoch}` };
  return Promise.all([
    ...draw(loss, { title: 'Loss', epochs: last, format: '.3~r', top: lossCeiling(steps, epochs), mark }),
    ...draw(score, { title: 'Score on the validation part', epochs: last, format: '.2~f', top: 1, mark: bestScore }),
    ...draw([lr], { title: 'Learning rate of the head', epochs: last, format: '~g' }),
    ...draw([speed], { title: 'Images per second, training', epochs: last, format: '.3~r' }),
  ]);
}

/** The top of the loss axis. The losses of a run's first steps are much higher than the rest, so the axis ends where
 *  the epochs' means and 95 % of the steps fit. */
function lossCeiling(steps: readonly StepLine[], epochs: readonly EpochLine[]): number {
  const sorted = steps.map(({ loss }) => loss).sort((a, b) => a - b);
  const common = sorted[Math.floor(0.95 * (sorted.length - 1))] ?? 0;
  const finite = [common, ...epochs.flatMap((line) => [line.trainLoss, line.valLoss])].filter(Number.isFinite);
  return 1.08 * Math.max(1e-6, ...finite);
}

/** Averages neighbouring points, so that at most maxPoints are left. */
function thinOut(points: Curve['points']): Curve['points'] {
  const size = Math.ceil(points.length / maxPoints);
  if (size <= 1) return points;
  const mean = (rows: Curve['points'], i: 0 | 1) => rows.reduce((sum, row) => sum + row[i], 0) / rows.length;
  return Array.from({ length: Math.ceil(points.length / size) }, (_, i) => {
    const rows = points.slice(i * size, (i + 1) * size);
    return [mean(rows, 0), mean(rows, 1)];
  });
}

function draw(curves: readonly Curve[], axes: Axes): Promise<Chart>[] {
  const drawn = curves
    .map((curve) => ({ ...curve, points: thinOut(curve.points.filter(([, value]) => Number.isFinite(value))) }))
    .filter(({ points }) => points.length > 0);
  if (drawn.length === 0) return [];
  return [toChart(axes.title, specification(drawn, axes))];
}

/** Vega is loaded when the first chart is drawn. It loads slowly, and waits for a module at its top level, with which
 *  `require('tfjs-finetune')` would fail. */
async function loadVega() {
  const { parse, View } = await import('vega');
  const { compile } = await import('vega-lite');
  return { parse, View, compile };
}
let vega: ReturnType<typeof loadVega> | undefined;

/** Draw a Vega-Lite specification. The title must differ from those of the page's other charts. */
export async function toChart(title: string, spec: object): Promise<Chart> {
  const { parse, View, compile } = await (vega ??= loadVega());
  const view = new View(parse(compile(spec as TopLevelSpec).spec), { renderer: 'none' });
  const prefix = title.replace(/\W+/g, '-'); // vega names the clip path of every chart clip0, but ids must be unique on a page
  const svg = await view.toSVG();
  return { title, svg: svg.replace(/(id="|url\(#)/g, `$1${prefix}-`) };
}

function specification(curves: readonly Curve[], { epochs, format, top, mark }: Axes): TopLevelSpec {
  const points = (thin: boolean): Point[] =>
    curves
      .filter((curve) => (curve.thin ?? false) === thin)
      .flatMap(({ name, points }) => points.map(([epoch, value]) => ({ epoch, value, series: name })));
  const colour = {
    field: 'series',
    type: 'nominal' as const,
    scale: { domain: curves.map(({ name }) => name), range: curves.map((curve) => curve.colour) },
    legend: curves.length > 1 ? ({ orient: 'top', title: null, symbolType: 'stroke' } as const) : null,
  };
  const x = {
    field: 'epoch',
    type: 'quantitative' as const,
    scale: { domain: [0, epochs], nice: false },
    axis: { title: 'epoch', format: 'd', tickMinStep: 1, tickCount: 8, grid: false, labelFlush: false },
  };
  const y = {
    field: 'value',
    type: 'quantitative' as const,
    scale: top === undefined ? { zero: true } : { domain: [0, top], nice: false },
    axis: { title: null, format, tickCount: 5 },
  };
  const encoding = { x, y, color: colour };
  const side =
    mark && mark.epoch <= epochs / 2 ? ({ align: 'left', dx: 5 } as const) : ({ align: 'right', dx: -5 } as const);
  const markAt = { values: mark ? [mark] : [] };
  return {
    ...plot,
    padding: 4,
    autosize: { type: 'fit', contains: 'padding' },
    background: 'transparent',
    config,
    layer: [
      { data: { values: points(true) }, mark: { type: 'line', strokeWidth: 1.25, clip: true }, encoding },
      {
        data: markAt,
        mark: { type: 'rule', strokeDash: [4, 3], opacity: 0.6, color: 'currentColor' },
        encoding: { x },
      },
      {
        data: markAt,
        mark: { type: 'text', ...side, dy: 2, baseline: 'top' },
        encoding: { x, y: { value: 0 }, text: { field: 'text' } },
      },
      {
        data: { values: points(false) },
        mark: { type: 'line', strokeWidth: 2.25, point: epochs <= 40 && { size: 26, filled: true } },
        encoding,
      },
    ],
  };
}

/** Vega's settings: text and lines have the colour of the page. */
export const config = {
  font: 'system-ui, sans-serif',
  view: { stroke: null },
  text: { color: 'currentColor', fontSize: 12 },
  axis: {
    labelColor: 'currentColor',
    titleColor: 'currentColor',
    labelFontSize: 12,
    titleFontSize: 12,
    titleFontWeight: 'normal',
    domainColor: 'currentColor',
    domainOpacity: 0.4,
    ticks: false,
    labelPadding: 6,
    gridColor: 'currentColor',
    gridOpacity: 0.13,
  },
  legend: { labelColor: 'currentColor', labelFontSize: 12, symbolSize: 250, symbolStrokeWidth: 3 },
} as const;
