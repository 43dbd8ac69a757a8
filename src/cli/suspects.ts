import { basename, dirname, join } from 'node:path';
import { writeAtomically } from '../files/writeAtomically.js';
import { makeFolder } from '../files/folders.js';
import { lookAt } from '../labelling/lookAt.js';
import { suspectObjects } from '../labelling/objects.js';
import { describeSuspect, SUSPICIONS, type Suspect } from '../labelling/suspect.js';
import { suspectJson, suspectTable } from '../labelling/suspectList.js';
import { suspectPage } from '../labelling/suspectPage.js';
import { suspectClasses } from '../labelling/wholeImages.js';
import { openModel } from '../predict/openModel.js';
import { printable } from '../printable.js';
import { locating } from '../recipe/places.js';
import { ownData } from '../run/recipeData.js';
import { recipeOf, type CheckCommand } from './check.js';
import { table } from './table.js';
import { watched } from './watched.js';

export interface SuspectsCommand extends Omit<CheckCommand, 'augment'> {
  /** A run directory, a checkpoint or a model folder. */
  readonly model: string;
}

/** Suspects that are printed; the list has all of them. */
const MOST_ROWS = 30;
/** Least score of the detections that are considered: low ones tell that something is there. */
const LEAST_SCORE = 0.01;
/** Score of a detection that is taken for an object, where the run measured none. */
const USUAL_CONFIDENT = 0.3;

/** `finetune check --suspects`: a trained model against the labels of a data set. A table goes to stderr; on stdout
 *  come the JSON, the list and the page. */
export async function suspects(path: string, { model: uri, out, json = false, ...command }: SuspectsCommand) {
  const recipe = await recipeOf(path, command);
  const { looked, found, names, confident } = await watched(async (hooks) => {
    const data = await locating(recipe, () => ownData(recipe, hooks));
    const { train, val, test } = data;
    const parts = { train, val, ...(test && { test }) };
    const isDetector = recipe.task === 'detection';
    const model = await openModel(uri, {
      ...hooks,
      ...(isDetector && { scoreThreshold: LEAST_SCORE }),
      engine: recipe.engine,
    });
    try {
      const result = await lookAt({ parts, categories: data.categories }, model, hooks);
      const all = result.task === 'detection' ? suspectObjects(result.images) : suspectClasses(result.images);
      return {
        looked: result,
        found: all,
        names: data.categories.map(({ name }) => name),
        confident: model.measuredThreshold ?? USUAL_CONFIDENT,
      };
    } finally {
      model.dispose();
    }
  });
  const file = out ?? join(recipe.out, `${basename(path).replace(/\.ya?ml$/, '')}-suspects.html`);
  const list = `${file.replace(/\.html?$/, '')}.csv`;
  const title = `Suspicious labels of ${basename(path)}`;
  const roots = recipe.data.root === undefined ? [] : [recipe.data.root];
  await makeFolder(dirname(file));
  await writeAtomically(list, suspectTable(found));
  await writeAtomically(file, await suspectPage(found, looked, { title, names, confident, roots }));
  print(found, looked);
  const { unreadable, images } = looked;
  if (json)
    console.log(
      JSON.stringify({ images: images.length, unreadable, suspects: found.map(suspectJson), list, page: file }),
    );
  console.log(list);
  console.log(file);
}

function print(found: readonly Suspect[], { images, unreadable }: { images: readonly object[]; unreadable: number }) {
  const rows = found
    .slice(0, MOST_ROWS)
    .map((suspect) => [printable(suspect.file), suspect.disagreement.toFixed(2), printable(describeSuspect(suspect))]);
  if (rows.length > 0) console.error(table([['file', 'disagreement', 'suspicion'], ...rows]));
  if (found.length > rows.length) console.error(`… and ${found.length - rows.length} more in the list`);
  const counts = SUSPICIONS.map((kind) => `${kind} ${found.filter((suspect) => suspect.kind === kind).length}`);
  const broken = unreadable > 0 ? `; ${unreadable} images cannot be read` : '';
  console.error(`\n${found.length} suspicious labels on ${images.length} images: ${counts.join(', ')}${broken}`);
}
