import { basename, join, resolve } from 'node:path';
import { z } from 'zod';
import { FinetuneError } from '../errors.js';
import { matchPredictions } from '../evaluate/matchPredictions.js';
import { examplesOf } from '../evaluate/worstImages.js';
import { readOwnJson } from '../files/readOwnJson.js';
import { rootsOf } from '../recipe/resolved.js';
import { loadRecipe } from '../recipe/load.js';
import { html } from '../report/html.js';
import { drawFound } from '../report/overlay.js';
import { page } from '../report/page.js';
import { keptDivision } from '../run/division.js';
import { ownData, type Hooks } from '../run/recipeData.js';
import type { Example } from '../tasks/section.js';
import { readFinished, SCORE_AGAIN } from './finishedRun.js';

const metricsSchema = z.object({ part: z.string() });
const predictionsSchema = z.array(
  z.object({
    image_id: z.union([z.number(), z.string()]),
    category_id: z.number(),
    bbox: z.tuple([z.number(), z.number(), z.number(), z.number()]),
    score: z.number(),
  }),
);

const failure = (message: string, fix: string, file?: string): FinetuneError =>
  new FinetuneError({ code: 'E_COMPARE_PICTURES', message, fix, ...(file !== undefined && { where: { file } }) });

/** A page with what two finished detection runs find in the images of the part that both were scored on: one column for
 *  each, the images first in which one finds most that the other does not (IoU 0.5, score 0.3).
 *  Throws E_COMPARE_PICTURES if the runs are not of detection, or were scored on other images; E_COMPARE_UNFINISHED. */
export async function comparisonPage(
  directories: readonly [string, string],
  { images, hooks = {} }: { readonly images: number; readonly hooks?: Hooks },
): Promise<string> {
  const [one, other] = [await readFound(directories[0], hooks), await readFound(directories[1], hooks)];
  const found = new Map(other.examples.map((example) => [example.imageId, example]));
  const pairs = one.examples.flatMap((left) => {
    const right = found.get(left.imageId);
    return right ? [{ left, right, differences: alone(left, right) + alone(right, left) }] : [];
  });
  if (pairs.length < Math.max(one.examples.length, other.examples.length)) {
    const message = `${directories.join(' and ')} were scored on different images: ${one.examples.length} and ${other.examples.length}, ${pairs.length} in common`;
    throw failure(message, 'compare runs with the same validation or test part');
  }
  const last = directories.map((directory) => basename(resolve(directory)));
  const titles = last[0] === last[1] ? directories : last;
  const ranked = pairs.sort((a, b) => b.differences - a.differences);
  const names = [...new Set([...one.names, ...other.names])];
  const figures = [];
  for (const { left, right, differences } of ranked.slice(0, images)) {
    const columns = [left, right].map((example, i) => ({ name: titles[i]!, example }));
    figures.push(await drawFound(columns, names, `boxes that only one of the two finds: ${differences}`)); // one after the other, so that one picture is in memory
  }
  const lead = html`<p>
      ${figures.length} of ${pairs.length} images, those first in which the two runs differ most. In
      ${ranked.filter(({ differences }) => differences > 0).length} of the ${pairs.length}, one finds boxes that the
      other does not.
    </p>
    <p>
      Predictions that score at least 0.3 are drawn. The colour shows the category. A <b>dashed</b> box is a false
      detection; a dotted grey one is an object that the run misses, or one that is ignored.
    </p>`;
  return page({ title: titles.join(' beside '), lead, roots: one.roots }, ...figures);
}

/** Number of boxes of one run that the other does not have. */
const alone = ({ predictions }: Example, other: Example): number =>
  matchPredictions(
    other.predictions.map((box) => ({ ...box, ignore: false })),
    predictions,
  ).filter((row) => row < 0).length;

async function readFound(directory: string, hooks: Hooks) {
  const metrics = await readFinished(directory, metricsSchema);
  const recipe = await loadRecipe(join(directory, 'recipe.yaml'));
  if (recipe.task !== 'detection') {
    throw failure(`this is a run of ${recipe.task}`, 'pictures are drawn of detectors', directory);
  }
  const file = join(directory, 'predictions.json');
  const detections = await readOwnJson(file, { parse: (json) => predictionsSchema.parse(json), fix: SCORE_AGAIN });
  if (!detections) throw failure('the predictions of the run are gone', SCORE_AGAIN, file);
  const data = await ownData(recipe, { ...hooks, kept: await keptDivision(directory) });
  const scored = metrics.part === 'test' && data.test ? data.test : data.val;
  return {
    examples: examplesOf(scored, detections),
    names: scored.categories.map(({ name }) => name),
    roots: rootsOf(recipe),
  };
}
