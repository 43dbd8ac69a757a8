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
  readonly data: { readonly train: Dataset; readonly val: Dataset; readonly test?: Dataset | undefined };
  /** The part that was scored in the end: the test part, or without one the validation part. */
  readonly scored: Dataset;
  readonly trained: Run;
  readonly result: Evaluation;
  readonly metrics: Metrics;
  readonly versions: Readonly<Record<string, string>>;
  /** Images that could not be read, and why. */
  readonly broken: ReadonlyMap<string, string>;
}

/** Gathers what the report says of a finished run. */
export function buildReport({
  recipe,
  recipeText,
  data,
  scored,
  trained,
  result,
  metrics,
  versions,
  broken,
}: Finished): Report {
  const { AP, AP50 } = metrics.metric;
  const images = `${scored.annotations.length} images of ${scored.name}`;
  const { test } = data;
  return {
    title: `${recipe.model.backbone} + ${recipe.model.head} on ${scored.name}`,
    headline: `AP ${AP.toFixed(3)}, AP50 ${AP50.toFixed(3)} on ${images}, with the weights of epoch ${trained.best.epoch} of ${trained.epochs}`,
    metrics,
    lines: trained.lines,
    counts: countObjects(data),
    recipeText,
    versions,
    dropped: {
      train: data.train.dropped,
      val: data.val.dropped,
      ...(test && { test: test.dropped }),
      ...(broken.size > 0 && { 'while running': countReasons(broken) }),
    },
    freeze: trained.freeze,
    notes: [selectionNote(trained, test), ...trained.notes],
    examples: worstExamples(scored, result.detections, recipe.report.images),
    scoreThreshold: SHOWN_SCORE,
  };
}

/** Choosing the epoch and scoring it on the same images flatters the score; the report says which was done. */
function selectionNote({ best }: Run, test: Dataset | undefined): string {
  const chosen = `Epoch ${best.epoch} was chosen for the best AP on the validation part (${best.score.toFixed(3)})`;
  return test
    ? `${chosen}; the score is that of the test part, which nothing was chosen by.`
    : `${chosen}, and that part is the one scored: expect a little less on images it has not seen.`;
}

function countReasons(broken: ReadonlyMap<string, string>): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const reason of broken.values()) counts[reason] = (counts[reason] ?? 0) + 1;
  return counts;
}

function countObjects({ train, val }: Finished['data']): Report['counts'] {
  const count = (part: Dataset, index: number): number =>
    part.annotations.reduce((sum, { classes }) => sum + classes.filter((classIndex) => classIndex === index).length, 0);
  return Object.fromEntries(
    train.categories.map(({ name }, index) => [name, { train: count(train, index), val: count(val, index) }]),
  );
}
