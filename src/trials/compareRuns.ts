import { join } from 'node:path';
import { z } from 'zod';
import { FinetuneError } from '../errors.js';
import { compareScores, type Compared } from '../evaluate/compareScores.js';
import { recipeDifferences } from '../recipe/differences.js';
import { loadRecipe } from '../recipe/load.js';
import type { Recipe } from '../recipe/schema.js';
import { readFinished } from './finishedRun.js';

export interface Comparison {
  /** Name of the score that is compared: AP, top1, hmean. */
  readonly score: string;
  /** Set where a run was scored on a test part: its images would choose a setting, and their score would mean less. */
  readonly note?: string;
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
  const groups = new Map<string, Map<number, number>>();
  for (const { recipe, score } of runs) {
    const setting = [...changed].map((path) => `${path}=${valueAt(recipe, path)}`).join(' ');
    const name = setting || 'the same recipe';
    if (!groups.has(name)) groups.set(name, new Map());
    groups.get(name)!.set(recipe.seed, score[1]);
  }
  const rows = compareScores([...groups].map(([name, scores]) => ({ name, scores })));
  return { score: names[0]!, ...(byValidation && { note: NOTE }), rows };
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
  return {
    recipe: await loadRecipe(join(directory, 'recipe.yaml')),
    score: leading ?? ['score', NaN],
    isTest: part === 'test',
    validation: best === undefined || best.name === 'loss' ? undefined : [`${best.name} on validation`, best.value],
  };
}
