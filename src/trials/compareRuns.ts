import { join } from 'node:path';
import { z } from 'zod';
import { FinetuneError } from '../errors.js';
import { compareScores, type Compared } from '../evaluate/compareScores.js';
import { recipeDifferences } from '../recipe/differences.js';
import { loadRecipe } from '../recipe/load.js';
import type { Recipe } from '../recipe/schema.js';
import { METRICS_LINES, readMetricsLines } from '../train/log/log.js';
import { readFinished } from './finishedRun.js';
import { describeLead } from './lead.js';

export interface Comparison {
  /** Name of the score that is compared: AP, top1, hmean. */
  readonly score: string;
  /** Set where a run was scored on a test part: its images would choose a setting, and their score would mean less. */
  readonly note?: string;
  /** Set where the setting that led early is not the one that leads in the end. */
  readonly lead?: string;
  readonly rows: readonly Compared[];
}

type NamedScore = readonly [name: string, value: number];

interface FinishedRun {
  readonly recipe: Recipe;
  readonly score: NamedScore;
  /** Whether that is the score of a test part. */
  readonly isTest: boolean;
  /** The number of the best epoch on the validation part, where a higher one is better. */
  readonly validation: NamedScore | undefined;
  /** The number that chose the epoch. */
  readonly chosenBy: string;
  /** That number on the validation part, by epoch; empty where a lower one is better. */
  readonly curve: ReadonlyMap<number, number>;
}

const NOTE =
  'Runs with a test part are compared by their validation part: a setting chosen by the test part would make its score too good.';

/** Compares finished runs. Those whose recipes differ in the seed alone make one row. Where one was scored on a test
 *  part, the numbers of the validation part are compared.
 *  Throws E_COMPARE_UNFINISHED for a directory without a finished run, and E_COMPARE_SCORES if the runs have
 *  different scores. */
export async function compareRuns(directories: readonly string[]): Promise<Comparison> {
  const read = await Promise.all(directories.map(readRun));
  const byValidation = read.some(({ isTest }) => isTest) && read.every(({ validation }) => validation);
  const runs = byValidation ? read.map((one) => ({ ...one, score: one.validation! })) : read;
  const [first] = runs;
  const names = [...new Set(runs.map(({ score: [name] }) => name))];
  if (names.length > 1) {
    const message = `the runs were scored by ${names.join(' and ')}, which cannot be compared`;
    throw new FinetuneError({ code: 'E_COMPARE_SCORES', message, fix: 'compare runs of one task' });
  }
  const changed = new Set(
    runs.flatMap(({ recipe }) => recipeDifferences(first!.recipe, recipe).map(({ path }) => path)),
  );
  changed.delete('seed');
  const groups = new Map<string, FinishedRun[]>();
  for (const run of runs) {
    const setting = [...changed].map((path) => `${path}=${valueAt(run.recipe, path)}`).join(' ');
    const name = setting || 'the same recipe';
    groups.set(name, [...(groups.get(name) ?? []), run]);
  }
  const rows = compareScores(
    [...groups].map(([name, members]) => ({
      name,
      scores: new Map(members.map(({ recipe: { seed }, score: [, value] }) => [seed, value])),
    })),
  );
  const isOneNumber = runs.every(({ chosenBy }) => chosenBy === first!.chosenBy);
  const curves = [...groups].map(([name, members]) => ({ name, points: meanCurve(members.map(({ curve }) => curve)) }));
  const lead = isOneNumber ? describeLead(curves) : undefined;
  return { score: names[0]!, ...(byValidation && { note: NOTE }), ...(lead !== undefined && { lead }), rows };
}

/** The mean of curves at the epochs that all of them have. */
function meanCurve(curves: readonly ReadonlyMap<number, number>[]): ReadonlyMap<number, number> {
  const [first = new Map<number, number>()] = curves;
  const epochs = [...first.keys()].filter((epoch) => curves.every((curve) => curve.has(epoch)));
  return new Map(
    epochs.map((epoch) => [epoch, curves.reduce((sum, curve) => sum + curve.get(epoch)!, 0) / curves.length]),
  );
}

function valueAt(recipe: Recipe, path: string): string {
  let value: unknown = recipe;
  for (const key of path.split('.')) value = (value as Record<string, unknown> | undefined)?.[key];
  return value === undefined ? 'absent' : typeof value === 'string' ? value : JSON.stringify(value);
}

const metricsSchema = z.object({
  metric: z.record(z.string(), z.unknown()),
  part: z.string().optional(),
  best: z.object({ name: z.string(), value: z.number() }).optional(),
});

async function readRun(directory: string): Promise<FinishedRun> {
  const { metric, part, best } = await readFinished(directory, metricsSchema);
  // The most important number of every score comes first.
  const leading = Object.entries(metric).find((entry): entry is [string, number] => typeof entry[1] === 'number');
  const chosenBy = best?.name ?? leading?.[0] ?? 'score';
  const lines = await readMetricsLines(join(directory, METRICS_LINES));
  const curve = lines.flatMap((line) => {
    const value = line.type === 'epoch' ? line.metric?.[chosenBy] : undefined;
    return typeof value === 'number' ? [[line.epoch, value] as const] : [];
  });
  return {
    chosenBy,
    curve: new Map(curve),
    recipe: await loadRecipe(join(directory, 'recipe.yaml')),
    score: leading ?? ['score', NaN],
    isTest: part === 'test',
    validation: best === undefined || best.name === 'loss' ? undefined : [`${best.name} on validation`, best.value],
  };
}
