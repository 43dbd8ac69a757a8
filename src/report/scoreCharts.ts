import type { TopLevelSpec } from 'vega-lite';
import type { PrecisionRecall } from '../tasks/section.js';
import { config, plot, toChart, type Chart } from './charts.js';

/** Number of recalls at which a curve is drawn; more would not be visible. */
const STEPS = 100;
/** Number of classes up to which each class gets its own chart. */
const MOST_OWN_CHARTS = 12;

/** Draws precision over recall: thin lines for all classes with their mean, and a chart for each class if they are few. */
export async function drawPrecisionRecall(curves: ReadonlyMap<string, PrecisionRecall>): Promise<Chart[]> {
  const drawable = [...curves].filter(([, { recall }]) => recall.length > 0 && !Number.isNaN(recall[0]!));
  if (drawable.length === 0) return [];
  const enveloped = drawable.map(([name, curve]) => ({ name, precision: envelope(curve) }));
  const mean = Array.from({ length: STEPS + 1 }, (_, step) =>
    enveloped.reduce((sum, { precision }) => sum + precision[step]! / enveloped.length, 0),
  );
  if (enveloped.length === 1) return [await chart('Precision over recall', [], mean)];
  const all = await chart('Precision over recall, the mean of the classes', enveloped, mean);
  if (enveloped.length > MOST_OWN_CHARTS) return [all];
  const own = enveloped.map(({ name, precision }) => chart(`Precision over recall, ${name}`, [], precision));
  return [all, ...(await Promise.all(own))];
}

/** Draws precision over recall by a property of the objects; each line is the mean over the classes that have such
 *  objects. */
export async function drawMeans(
  title: string,
  groups: ReadonlyMap<string, readonly PrecisionRecall[]>,
): Promise<Chart[]> {
  const lines = [...groups].flatMap(([name, curves]): Line[] => {
    const drawable = curves.filter(({ recall }) => recall.length > 0 && !Number.isNaN(recall[0]!)).map(envelope);
    if (drawable.length === 0) return [];
    return [
      {
        name,
        precision: drawable[0]!.map((_, i) => drawable.reduce((sum, line) => sum + line[i]!, 0) / drawable.length),
      },
    ];
  });
  if (lines.length === 0) return [];
  const colours = ['var(--curve-1)', 'var(--curve-2)', 'var(--curve-1-soft)'];
  const color = {
    field: 'name',
    type: 'nominal' as const,
    scale: { domain: lines.map(({ name }) => name), range: colours },
    legend: { orient: 'top', title: null, symbolType: 'stroke' } as const,
  };
  const spec: TopLevelSpec = {
    ...frame,
    layer: [
      {
        data: { values: lines.flatMap(points) },
        mark: { type: 'line', strokeWidth: 2.25 },
        encoding: { ...axes, color },
      },
    ],
  };
  return [await toChart(title, spec)];
}

/** The best precision at each of the recalls 0, 0.01 … 1, or at a higher recall. */
function envelope({ recall, precision }: PrecisionRecall): number[] {
  const best = new Array<number>(STEPS + 1).fill(0);
  let highest = 0;
  let i = recall.length - 1;
  for (let step = STEPS; step >= 0; step--) {
    for (; i >= 0 && recall[i]! >= step / STEPS; i--) highest = Math.max(highest, precision[i]!);
    best[step] = highest;
  }
  return best;
}

interface Line {
  readonly name: string;
  readonly precision: readonly number[];
}

const points = ({ name, precision }: Line) =>
  precision.map((value, step) => ({ name, recall: step / STEPS, precision: value }));

const axis = (field: 'recall' | 'precision') => ({
  field,
  type: 'quantitative' as const,
  scale: { domain: [0, 1], nice: false },
  axis: { title: field, format: '.1f', tickCount: 5, grid: field === 'precision' },
});
const axes = { x: axis('recall'), y: axis('precision') };
const frame = {
  ...plot,
  padding: 4,
  autosize: { type: 'fit', contains: 'padding' },
  background: 'transparent',
  config,
} as const;

function chart(title: string, thin: readonly Line[], thick: readonly number[]): Promise<Chart> {
  const spec: TopLevelSpec = {
    ...frame,
    layer: [
      {
        data: { values: thin.flatMap(points) },
        mark: { type: 'line', strokeWidth: 1, color: 'var(--curve-1-soft)', opacity: 0.7 },
        encoding: { ...axes, detail: { field: 'name', type: 'nominal' } },
      },
      {
        data: { values: points({ name: 'mean', precision: thick }) },
        mark: { type: 'line', strokeWidth: 2.25, color: 'var(--curve-1)' },
        encoding: axes,
      },
    ],
  };
  return toChart(title, spec);
}
