import { writeAtomically } from '../files/writeAtomically.js';
import { config, plot, toChart } from './charts.js';
import { html } from './html.js';
import { chartFigure, headlineOf, page } from './page.js';

/** The losses of a learning-rate search, and the rate to use if one was found. */
export interface LrCurve {
  /** Of each step: its rate, the loss, and the exponential mean of the losses so far. */
  readonly points: readonly { readonly lr: number; readonly loss: number; readonly smooth: number }[];
  /** The rate of a step, and the `train.lr.value` that gives it. */
  readonly suggestion?: { readonly lr: number; readonly value: number };
}

/** Writes the curve of a learning-rate search as one self-contained page. */
export async function writeLrPage({ points, suggestion }: LrCurve, title: string, file: string): Promise<void> {
  const most = 1.5 * (points[0]?.smooth ?? 1); // higher losses are cut off, which would flatten the rest of the curve
  const rows = points.map(({ lr, loss, smooth }) => ({
    lr,
    loss: Math.min(loss, most),
    smooth: Math.min(smooth, most),
  }));
  const x = {
    field: 'lr',
    type: 'quantitative' as const,
    scale: { type: 'log' as const },
    axis: { title: 'learning rate of a step', format: '.0e', tickCount: 6 },
  };
  const y = (field: string) => ({
    field,
    type: 'quantitative' as const,
    scale: { zero: false },
    axis: { title: null },
  });
  const chart = await toChart('Loss by learning rate', {
    ...plot,
    padding: 4,
    autosize: { type: 'fit', contains: 'padding' },
    background: 'transparent',
    config,
    layer: [
      {
        data: { values: rows },
        mark: { type: 'line', strokeWidth: 1, color: 'var(--curve-1-soft)' },
        encoding: { x, y: y('loss') },
      },
      {
        data: { values: rows },
        mark: { type: 'line', strokeWidth: 2.25, color: 'var(--curve-1)' },
        encoding: { x, y: y('smooth') },
      },
      {
        data: { values: suggestion ? [{ lr: suggestion.lr }] : [] },
        mark: { type: 'rule', strokeDash: [4, 3], color: 'currentColor' },
        encoding: { x },
      },
    ],
  });
  const headline = suggestion
    ? `train.lr.value: ${suggestion.value.toPrecision(2)}, which is ${suggestion.lr.toPrecision(2)} a step: a tenth of the rate at which the loss is lowest`
    : 'The loss fell at no rate: finetune overfit shows where to look.';
  const explained = html`<p class="small">
    The thin line is the loss of each step, the thick one its exponential mean, and the dashed line marks the
    suggestion. The rate grows by a constant factor from step to step until the loss explodes (Smith 2017,
    arXiv:1506.01186).
  </p>`;
  await writeAtomically(file, page({ title, lead: headlineOf(headline) }, chartFigure(chart), explained));
}
