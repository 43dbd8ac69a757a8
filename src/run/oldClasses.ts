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

/** How well the classes are told that a model knew before others were added. */
export interface OldClasses {
  readonly before: TaskScore;
  readonly after: TaskScore;
}

/** Scores the old classes on images of their own, by the model as it was and by the one that learned others besides. Returns undefined where
 *  no classes were added. */
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

/** The score that an epoch is chosen by: the number that `evaluate.best` names. Where classes were added it is the mean of the data's number
 *  and that of the old classes, as far as these measure anything; a message says so if neither does. */
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

/** AP of a detector's class, recall of a classifier's; −1 where no image has it. */
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

/** A row for each class that the images have: the old ones before and after, then the new ones. */
export function oldClassesSection({ before, after }: OldClasses, fresh: TaskScore): Section {
  const measured = (metric: TaskScore) => classScores(metric).filter(({ score }) => score >= 0);
  const was = new Map(measured(before).map(({ name, score }) => [name, score]));
  const known = new Set(classScores(before).map(({ name }) => name));
  const kept = measured(after).filter(({ name }) => was.has(name));
  const added = measured(fresh).filter(({ name }) => !known.has(name));
  const number = (value: number): string => value.toFixed(3);
  const row = (name: string, from: number, to: number): string[] => [name, number(from), number(to), `${to < from ? '−' : '+'}${number(Math.abs(to - from))}`]; // prettier-ignore
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
    note: `${before.metric === 'coco' ? 'AP' : 'Recall'} of each class: the old ones on addClasses.replay.val, by model.weights as they are and by this run; the new ones on the part that the run is scored on. Classes without an object there are left out.`,
  };
}
