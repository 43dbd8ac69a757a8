import type { Dataset } from '../data/sample.js';
import type { Evaluation } from '../evaluate/evaluate.js';
import type { Model } from '../model.js';
import type { Recipe } from '../recipe/schema.js';
import type { Run } from '../train/loop.js';
import { SHOWN_SCORE, worstExamples } from './examples.js';
import type { Metrics, Report } from './report.js';

/** The content of metrics.json. */
export function metricsOf({ count }: Model, run: Run, result: Evaluation, engine: string): Metrics {
  const loss = { train: run.trainLoss, val: result.loss };
  const { epochs, seconds, imagesPerSecond } = run;
  return {
    task: 'detection',
    metric: result.metric,
    loss,
    epochs,
    seconds,
    imagesPerSecond,
    params: count.params,
    macs: count.macs,
    engine,
  };
}

export interface Finished {
  readonly recipe: Recipe;
  readonly recipeText: string;
  readonly data: { readonly train: Dataset; readonly val: Dataset };
  readonly trained: Run;
  readonly result: Evaluation;
  readonly metrics: Metrics;
  readonly versions: Readonly<Record<string, string>>;
}

/** Gathers what the report says of a finished run. */
export function buildReport({ recipe, recipeText, data, trained, result, metrics, versions }: Finished): Report {
  const { AP, AP50 } = metrics.metric;
  const { length } = data.val.annotations;
  return {
    title: `${recipe.model.backbone} + ${recipe.model.head} on ${data.val.name}`,
    headline: `AP ${AP.toFixed(3)}, AP50 ${AP50.toFixed(3)} on ${length} images; best of ${trained.epochs} epochs: ${trained.best.epoch}`,
    metrics,
    lines: trained.lines,
    counts: countObjects(data),
    recipeText,
    versions,
    dropped: { train: data.train.dropped, val: data.val.dropped },
    freeze: trained.freeze,
    notes: trained.notes,
    examples: worstExamples(data.val, result.detections, recipe.report.images),
    scoreThreshold: SHOWN_SCORE,
  };
}

function countObjects({ train, val }: Finished['data']): Report['counts'] {
  const count = (part: Dataset, index: number): number =>
    part.annotations.reduce((sum, { classes }) => sum + classes.filter((classIndex) => classIndex === index).length, 0);
  return Object.fromEntries(
    train.categories.map(({ name }, index) => [name, { train: count(train, index), val: count(val, index) }]),
  );
}
