import { basename, join } from 'node:path';
import { continuedRecipe, reopen } from './run/continueRun.js';
import { evaluate } from './evaluate/evaluate.js';
import { isMeasured, unmeasured } from './evaluate/rank.js';
import { withWeights } from './train/modelWeights.js';
import { epochScore, oldClassesSection, scoreOldClasses } from './run/oldClasses.js';
import { planRun } from './run/plan.js';
import { openPredictor } from './evaluate/predictor.js';
import type { ProgressEvent } from './progress.js';
import { loadRecipe } from './recipe/load.js';
import { resolvedRecipeText } from './recipe/resolved.js';
import type { Recipe } from './recipe/schema.js';
import { withRecipe, type OpenedRecipe } from './run/openRecipe.js';
import { recipeImages } from './run/recipeModel.js';
import { buildReport, metricsOf } from './report/fromRun.js';
import type { Metrics } from './report/report.js';
import { writeReport } from './report/writeReport.js';
import { collectVersions, newRunPath, openRunDirectory, type RunDirectory } from './run/directory.js';
import { checkpointFile } from './train/checkpoint.js';
import { train } from './train/loop.js';
import { recipePseudoLabels, trainOptions } from './run/trainOptions.js';

export interface FinetuneOptions {
  /** The run directory; must be empty, or with `resume` or `extend` hold the run to go on with.
   *  Default: a new one, named after the recipe and the time, in the recipe's `out`. */
  readonly directory?: string | undefined;
  readonly resume?: boolean;
  /** Train a finished run for so many epochs more; the learning rate is that of a run as long as that. */
  readonly extend?: number | undefined;
  /** Stops between two steps: everything is saved, and `resume` goes on. */
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((event: ProgressEvent) => void) | undefined;
}

export interface FinetuneResult {
  readonly directory: string;
  /** Absent when the signal stopped the run: everything is saved, and `resume` goes on. */
  readonly metrics?: Metrics;
}

/** The straight line: recipe → data → model → train → evaluate → report. `source` is a recipe or its file. */
export async function finetune(
  source: Recipe | string,
  { directory, resume = false, extend, signal, onProgress }: FinetuneOptions = {},
): Promise<FinetuneResult> {
  const recipe = typeof source === 'string' ? await loadRecipe(source) : source;
  const name = typeof source === 'string' ? basename(source).replace(/\.ya?ml$/, '') : recipe.task;
  const goesOn = resume || extend !== undefined;
  const run = await openRunDirectory(directory ?? newRunPath(recipe.out, name), { resume: goesOn });
  try {
    const continued = goesOn ? await continuedRecipe(run.path, recipe, { extend }) : undefined;
    const own = continued ?? recipe;
    const hooks = { signal, onProgress };
    const options = { resume: continued !== undefined, extend, ...hooks };
    return await withRecipe(own, hooks, (opened) => runRecipe(opened, run, options));
  } finally {
    await run.close();
  }
}

/** The line itself, with an opened recipe in a run directory that is open. */
export async function runRecipe(
  opened: OpenedRecipe,
  run: RunDirectory,
  { resume = false, extend, signal, onProgress }: Omit<FinetuneOptions, 'directory'>,
): Promise<FinetuneResult> {
  const { backend, data, model } = opened;
  const engine = `${backend.name} ${backend.version}`;
  const hooks = { signal, onProgress };
  const { recipe, plan } = await planRun(opened, { directory: run.path, ...hooks });
  const recipeText = resolvedRecipeText(recipe);
  if (plan !== undefined) await run.write('plan.json', plan);
  const versions = await collectVersions(engine);
  if (!resume || extend !== undefined) await run.write('recipe.yaml', recipeText);
  if (extend !== undefined) await reopen(run.path);
  await run.write('versions.json', `${JSON.stringify(versions, null, 2)}\n`);

  const { batch } = recipe.evaluate;
  const broken = new Map<string, string>(); // file → reason
  const onDrop = (reason: string, file: string) => broken.set(file, reason);
  const images = { ...recipeImages(recipe), onDrop };
  const options = { ...trainOptions(recipe, images, run.path), resume };
  const pseudo = recipePseudoLabels(recipe, data.train, run.path);
  const trained = await train(model, pseudo?.dataset ?? data.train, backend, options, {
    ...hooks,
    enterEpoch: pseudo && ((session, state) => pseudo.enterEpoch(session, model.task, state)),
    evaluate: async (live, session, signal) => {
      const how = { ...images, batch, signal, onProgress };
      const found = await evaluate(live, session, data.val, how);
      const known = data.old && (await evaluate(live, session, data.old.after, how));
      const { best } = recipe.evaluate;
      const score = epochScore(best, found, known);
      if (!isMeasured(best, score.score)) onProgress?.({ message: unmeasured(best) });
      return score;
    },
  });
  if (trained.stopped) return { directory: run.path };

  const best = (await withWeights(model, `file:${checkpointFile(run.path, 'best')}`)).model;
  const predictor = await openPredictor(best, backend, { batch, loss: true });
  const scored = data.test ?? data.val;
  const how = { ...images, batch, ...hooks };
  const result = await evaluate(best, predictor, scored, how)
    .then(async (found) => ({
      ...found,
      old: data.old && (await scoreOldClasses(recipe, data.old, { model: best, session: predictor, backend }, how)),
    }))
    .catch((error: unknown) => {
      if (!signal?.aborted) throw error;
    })
    .finally(() => predictor.dispose());
  if (!result) return { directory: run.path };

  const { old } = result;
  const metrics = { ...metricsOf(best, trained, result, engine), ...(old && { oldClasses: old }) };
  await run.write('predictions.json', JSON.stringify(result.predictions));
  await run.write('metrics.json', `${JSON.stringify(metrics, null, 2)}\n`);
  onProgress?.({ phase: 'report', done: 0, total: 1 });
  const report = await buildReport({
    recipe,
    recipeText,
    data,
    scored,
    trained,
    result,
    metrics,
    versions,
    broken,
    pseudo,
    first: old ? [oldClassesSection(old, result.metric)] : [],
  });
  await writeReport(report, join(run.path, 'report.html'));
  onProgress?.({ phase: 'report', done: 1, total: 1 });
  return { directory: run.path, metrics };
}
