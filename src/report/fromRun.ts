import { countObjects } from '../data/countObjects.js';
import type { Overlap } from '../data/overlap.js';
import type { Dataset } from '../data/sample.js';
import type { Evaluation } from '../evaluate/evaluate.js';
import { rankedValue } from '../evaluate/rank.js';
import type { Model } from '../tasks/model.js';
import { backboneName } from '../models/table.js';
import { publishedRecipeText, rootsOf } from '../recipe/resolved.js';
import type { Recipe } from '../recipe/schema.js';
import type { Score } from '../tasks/evaluator.js';
import type { Section } from '../tasks/section.js';
import type { Run } from '../train/loop.js';
import type { PseudoRound } from '../train/pseudoLabels.js';
import type { BestEpoch } from './charts.js';
import { scoreClaims } from './claims.js';
import { pseudoSections } from './pseudoSections.js';
import { leading, type Metrics, type Report } from './report.js';
import { describeTrend } from './trend.js';

/** Makes the content of metrics.json. */
export function metricsOf<S extends Score>(
  { task, count }: Model<unknown, S>,
  run: Run,
  { result, ...measured }: { readonly result: Evaluation<S> } & Pick<Metrics, 'weightsSha256' | 'part' | 'best'>,
  engine: string,
): Metrics<S> {
  const loss = { train: run.trainLoss, val: result.loss };
  const { epochs, seconds, imagesPerSecond } = run;
  return {
    task: task.name,
    metric: result.metric,
    ...measured,
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
  readonly data: { readonly train: Dataset; readonly val: Dataset; readonly test?: Dataset | undefined };
  /** The part that was scored at the end: the test part, or the validation part if there is none. */
  readonly scored: Dataset;
  readonly trained: Run;
  readonly result: Evaluation;
  readonly metrics: Metrics;
  readonly versions: Readonly<Record<string, string>>;
  /** Images that parts share. */
  readonly overlaps: readonly Overlap[];
  /** What a reader of the score must know, a sentence each. */
  readonly remarks: readonly string[];
  /** The images that could not be read, with the reasons. */
  readonly broken: ReadonlyMap<string, string>;
  /** Set for a weakly supervised run. */
  readonly pseudo?: { readonly rounds: readonly PseudoRound[]; readonly directory: string } | undefined;
  /** Sections that come before those of the task. */
  readonly first: readonly Section[];
}

/** Collects the contents of the report of a finished run. */
export async function buildReport({
  recipe,
  data,
  scored,
  trained,
  result,
  metrics,
  versions,
  overlaps,
  remarks,
  broken,
  pseudo,
  first,
}: Finished): Promise<Report> {
  const score = leading(result.numbers).map(([name, value]) => `${name} ${value.toFixed(3)}`);
  const { length } = scored.annotations;
  const images = `${result.images === length ? length : `${result.images} of ${length}`} images of ${scored.name}`;
  const { test } = data;
  const { directory = '', rounds = [] } = pseudo ?? {};
  const gallery = await pseudoSections(rounds, data.train, { directory, words: recipe.report.images });
  const best = bestOf(recipe, trained);
  const trend = describeTrend(trained.lines, best.name);
  return {
    title: `${backboneName(recipe.model.backbone)}${recipe.task === 'detection' ? ` + ${recipe.model.head}` : ''} on ${scored.name}`,
    headline: `${score.join(', ')} on ${images}, with the weights of epoch ${trained.best.epoch} of ${trained.epochs}`,
    metrics,
    numbers: result.numbers,
    lines: trained.lines,
    best,
    counts: countParts(data),
    recipeText: publishedRecipeText(recipe),
    roots: rootsOf(recipe),
    versions,
    dropped: {
      train: data.train.dropped,
      val: data.val.dropped,
      ...(test && { test: test.dropped }),
      ...(broken.size > 0 && { 'while running': countReasons(broken) }),
    },
    freeze: trained.freeze,
    notes: [
      ...scoreClaims(best, test !== undefined, overlaps),
      ...(trend === undefined ? [] : [trend]),
      ...remarks,
      ...trained.notes,
    ],
    sections: [...first, ...result.sections(recipe.report), ...gallery],
  };
}

/** The epoch that was kept, and its number on the validation part. */
export function bestOf({ evaluate: { best: name } }: Recipe, { best: { epoch, score } }: Run): BestEpoch {
  return { epoch, name, value: rankedValue(name, score) };
}

function countReasons(broken: ReadonlyMap<string, string>): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const reason of broken.values()) counts[reason] = (counts[reason] ?? 0) + 1;
  return counts;
}

function countParts(data: Finished['data']): Report['counts'] {
  const [train, val] = [countObjects(data.train), countObjects(data.val)];
  return Object.fromEntries(data.train.categories.map(({ name }, i) => [name, { train: train[i]!, val: val[i]! }]));
}
