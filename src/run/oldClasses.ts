import type { TaskScore } from '../evaluate/createTask.js';
import type { Session } from '../engine/engine.js';
import { evaluate, type EvaluateOptions, type Evaluation } from '../evaluate/evaluate.js';
import { isMeasured, rankOf, unmeasured } from '../evaluate/rank.js';
import type { Model } from '../tasks/model.js';
import { openPredictor } from '../evaluate/predictor.js';
import type { ProgressEvent } from '../progress.js';
import type { OpenedRecipe } from './openRecipe.js';
import { loadOldModel } from './oldModel.js';
import type { Section } from '../tasks/section.js';
import type { EpochScore } from '../train/log/record.js';

/** Scores of the classes that a model knew before others were added. */
export interface OldClasses {
  /** By the old model. */
  readonly before: TaskScore;
  /** By the model that learned others besides. */
  readonly after: TaskScore;
}

/** Scores the old classes on images of their own, by the model as it was and by the one that learned others besides.
 *  Returns undefined where no classes were added. */
export async function scoreOldClasses(
  { recipe, backend, data: { old } }: OpenedRecipe,
  { model, session }: { readonly model: Model<unknown, TaskScore>; readonly session: Session },
  options: EvaluateOptions,
): Promise<OldClasses | undefined> {
  if (!old) return undefined;
  const { metric: after } = await evaluate(model, session, old.after, options);
  const former = (await loadOldModel(recipe, old.categories)).model;
  const predictor = await openPredictor(former, backend, { batch: options.batch, loss: true });
  try {
    const { metric: before } = await evaluate(former, predictor, old.before, options);
    return { before, after };
  } finally {
    predictor.dispose();
  }
}

/** The score that an epoch is chosen by: the number that `evaluate.best` names. Where classes were added it is the
 *  mean of the data's number and that of the old classes, as far as these measure anything; a message says so if
 *  neither does. */
export function epochScore(
  best: string,
  { own, old }: { readonly own: Evaluation; readonly old: Evaluation | undefined },
  onProgress: ((event: ProgressEvent) => void) | undefined,
): EpochScore {
  const ranks = [own, ...(old ? [old] : [])].map((evaluation) => rankOf(best, evaluation));
  const measured = ranks.filter((rank) => isMeasured(best, rank));
  if (measured.length === 0) onProgress?.({ message: unmeasured(best) });
  const ofOld = Object.entries(old?.numbers ?? {}).map(([name, value]) => [`old ${name}`, value] as const);
  return {
    score: measured.length > 0 ? mean(measured) : ranks[0]!,
    loss: own.loss,
    metric: { ...own.numbers, ...Object.fromEntries(ofOld) },
  };
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** The score of each class: AP for a detector, recall for a classifier; −1 if no image has the class. */
function classScores(metric: TaskScore): { readonly name: string; readonly score: number }[] {
  switch (metric.metric) {
    case 'coco':
      return metric.perCategory.map(({ name, AP }) => ({ name, score: AP }));
    case 'classification':
      return metric.perCategory.map(({ name, recall }) => ({ name, score: recall }));
    case 'icdar':
      return [];
  }
}

/** A table with the mean scores of the old and the new classes, and a row for each class that the images have. */
export function oldClassesSection({ before, after }: OldClasses, fresh: TaskScore): Section {
  const measured = (metric: TaskScore) => classScores(metric).filter(({ score }) => score >= 0);
  const was = new Map(measured(before).map(({ name, score }) => [name, score]));
  const known = new Set(classScores(before).map(({ name }) => name));
  const kept = measured(after).filter(({ name }) => was.has(name));
  const added = measured(fresh).filter(({ name }) => !known.has(name));
  const number = (value: number): string => value.toFixed(3);
  const change = (from: number, to: number): string => `${to < from ? '−' : '+'}${number(Math.abs(to - from))}`;
  const row = (name: string, from: number, to: number): string[] => [name, number(from), number(to), change(from, to)];
  const allKept = row(
    `${kept.length} old classes, mean`,
    mean([...was.values()]),
    mean(kept.map(({ score }) => score)),
  );
  const allAdded = [`${added.length} new classes, mean`, '–', number(mean(added.map(({ score }) => score))), '–'];
  return {
    kind: 'table',
    title: 'Classes before and after',
    heads: ['class', 'before', 'after', 'change'],
    rows: [
      allKept,
      allAdded,
      ...added.map(({ name, score }) => [name, '–', number(score), '–']),
      ...kept.map(({ name, score }) => row(name, was.get(name)!, score)),
    ],
    note: `${before.metric === 'coco' ? 'AP' : 'Recall'} of each class. The old classes are scored on addClasses.replay.val, before by model.weights and after by this run; the new ones on the part that the run is scored on. Classes without an object there are left out.`,
  };
}
