import { basename, join } from 'node:path';
import { anchorRemark, checkAnchors, type AnchorCheck } from '../trials/anchorCheck.js';
import { checkData, type DataCheck, type PartStats } from '../data/check/checkData.js';
import type { Level, Remark } from '../data/check/remark.js';
import { bucketUse, type BucketUse, type Size } from '../data/pipeline/buckets.js';
import type { Dataset, PartName } from '../data/sample.js';
import { FinetuneError, formatProblem } from '../errors.js';
import { loadRecipe, parseRecipe } from '../recipe/load.js';
import { locateProblem, locating } from '../recipe/places.js';
import { printable } from '../printable.js';
import type { Recipe } from '../recipe/schema.js';
import { roomySize } from '../run/detectionRecipe.js';
import { taskOptions } from '../run/taskOptions.js';
import type { CeilingBySize } from '../tasks/detection/recallCeiling.js';
import { ceilingTable } from './ceilingTable.js';
import { isFolder, lookAt, recipeFileFor, type InitCommand } from './init.js';
import { Stopped } from './interrupt.js';
import { table } from './table.js';
import { Reported } from './usage.js';
import { watched } from './watched.js';

export interface CheckCommand extends Pick<InitCommand, 'task' | 'layout'> {
  readonly set?: readonly string[];
  /** Write a page of images as the model sees them. */
  readonly augment?: boolean;
  /** File of the page. Default: named after the recipe, in the recipe's `out`. */
  readonly out?: string | undefined;
  readonly json?: boolean;
}

/** Most remarks of one kind that are printed; `--json` has all of them. */
const MOST_OF_A_KIND = 10;

/** `finetune check recipe.yaml`: the data doctor. Text on stderr; on stdout the JSON and the page's path. Returns
 *  whether the data can be trained on. */
export async function check(
  path: string,
  { set = [], augment = false, out, json = false, task, layout }: CheckCommand,
): Promise<boolean> {
  const recipe = await recipeOf(path, { set, task, layout });
  const { data, train, seed } = recipe;
  const size = lookedAt(recipe);
  const options = { size, ...taskOptions(recipe).images, batch: train.batch === 'auto' ? 1 : train.batch };
  const { signal, ...checked } = await watched(
    async ({ signal, onProgress }) => ({
      signal,
      ...(await locating(recipe, () => checkData(data, { ...options, signal, onProgress }))),
    }),
    'stopping: what was found so far follows',
  );
  const { anchors, remarks: ofAnchors } = lookAtAnchors(recipe, checked.opened.train);
  const remarks = [...checked.remarks.map((remark) => place(remark, recipe)), ...ofAnchors];
  const trainable = checked.trainable && ofAnchors.every(({ level }) => level !== 'error');
  const shapes = shapesOf(recipe, checked.opened.train);
  print({ ...checked, remarks, trainable }, size, { anchors, shapes });
  let page: string | undefined;
  if (augment && checked.opened.train && !signal.aborted) {
    const { writeSamplePage } = await import('../report/samplePage.js');
    page = out ?? join(recipe.out, `${basename(path).replace(/\.ya?ml$/, '')}-check.html`);
    const shown = {
      ...taskOptions(recipe).images,
      augment: data.augment,
      size: recipe.task === 'text' ? recipe.data.size : size,
    };
    await writeSamplePage(checked.opened.train, { ...shown, seed, epochs: train.epochs }, page);
  }
  const { parts, complete } = checked;
  const found = { trainable, complete, remarks, parts, ...(anchors && { anchors }), ...(shapes && { shapes }) };
  if (json) console.log(JSON.stringify({ ...found, ...(page !== undefined && { page }) }));
  if (page !== undefined) console.log(page);
  if (!complete && signal.reason instanceof Stopped) throw new Reported(signal.reason.exitCode);
  return trainable;
}

/** The recipe in a file, or one that is made for a folder of images. */
export async function recipeOf(path: string, { set = [], ...asked }: CheckCommand): Promise<Recipe> {
  if (!(await isFolder(path))) return loadRecipe(path, { set });
  const file = recipeFileFor(path);
  const { text } = await lookAt(path, { ...asked, set, file });
  return parseRecipe(text, file, { set });
}

/** The remark with its place in the recipe, where it is about an option. An error without any place is one of
 *  `data`, as for the commands that throw it. */
function place(remark: Remark, recipe: Recipe): Remark {
  const isUnplaced = remark.level === 'error' && remark.option === undefined && !remark.where;
  return locateProblem(isUnplaced ? { ...remark, option: 'data' } : remark, recipe);
}

/** The input size at which the data are checked: the one that images are scored at, or one that holds every size. */
function lookedAt(recipe: Recipe): Size {
  if (recipe.task === 'detection') return roomySize(recipe);
  return recipe.task === 'text' ? recipe.data.evaluateSize : recipe.data.size;
}

/** How the training images are distributed over the shapes of batches, if the recipe has several. */
function shapesOf(recipe: Recipe, train: Dataset | undefined): BucketUse[] | undefined {
  const { buckets, limits } = taskOptions(recipe).images;
  return buckets && limits && train && bucketUse(train.annotations, buckets, limits);
}

function shapeTable(shapes: readonly BucketUse[]): string {
  const pixels = ({ size, images }: BucketUse): number => size[0] * size[1] * images;
  const all = shapes.reduce((sum, shape) => sum + pixels(shape), 0);
  const padded = shapes.reduce((sum, shape) => sum + (shape.images === 0 ? 0 : pixels(shape) * shape.padding), 0);
  const percent = (share: number): string => (Number.isNaN(share) ? '–' : `${(100 * share).toFixed(0)} %`);
  const rows = shapes.map(({ size: [h, w], images, padding }) => [`${w}x${h}`, String(images), percent(padding)]);
  return table([['shape', 'images', 'padding'], ...rows, ['all', '', percent(padded / all)]]);
}

/** The recall ceiling of a detector's anchors. It is an error if the detector cannot be built at this size, as in
 *  training. */
function lookAtAnchors(recipe: Recipe, train: Dataset | undefined): { anchors?: AnchorCheck; remarks: Remark[] } {
  if (recipe.task !== 'detection' || !train) return { remarks: [] };
  try {
    const anchors = checkAnchors(recipe, train);
    const remark = anchors && anchorRemark(anchors);
    return { ...(anchors && { anchors }), remarks: remark ? [remark] : [] };
  } catch (error) {
    if (!(error instanceof FinetuneError)) throw error;
    return { remarks: error.problems.map((problem) => ({ level: 'error', ...locateProblem(problem, recipe) })) };
  }
}

function print(
  { remarks, parts, complete, trainable }: DataCheck,
  size: readonly [height: number, width: number],
  { anchors, shapes }: { readonly anchors: AnchorCheck | undefined; readonly shapes: BucketUse[] | undefined },
): void {
  const kinds = new Map<string, Remark[]>();
  for (const remark of remarks) {
    const kind = `${remark.level} ${remark.code}`;
    const known = kinds.get(kind);
    if (known) known.push(remark);
    else kinds.set(kind, [remark]);
  }
  for (const alike of kinds.values()) {
    for (const remark of alike.slice(0, MOST_OF_A_KIND)) console.error(formatRemark(remark));
    const rest = alike.length - MOST_OF_A_KIND;
    if (rest > 0)
      console.error(`… and ${rest} more ${alike[0]!.level}s like these (--json has them all)   ${alike[0]!.code}`);
  }
  for (const [part, stats] of Object.entries(parts) as [PartName, PartStats][])
    console.error(partTable(part, stats, size));
  if (anchors) {
    const rows = [['as it is', anchors.now], ...anchors.alternatives.map(({ change, ceiling }) => [change, ceiling])];
    console.error(`\n${ceilingTable(anchors.threshold, rows as [string, CeilingBySize][])}`);
  }
  if (shapes) console.error(`\n${shapeTable(shapes)}`);
  const count = (level: Level) => remarks.filter((remark) => remark.level === level).length;
  const verdict = complete ? (trainable ? 'can be trained on' : 'cannot be trained on') : 'stopped before the end';
  console.error(`\n${verdict}: ${count('error')} errors, ${count('warning')} warnings`);
}

function formatRemark({ level, part, ...remark }: Remark): string {
  const text = formatProblem(remark);
  return `${level}${part ? ` in ${part}` : ''}: ${text}`;
}

function partTable(part: PartName, stats: PartStats, [height, width]: readonly [number, number]): string {
  const { images, withoutObjects, objects, ignored, dropped, categories } = stats;
  const side = (w: number, h: number) => (w === 0 ? '–' : `${w.toFixed(0)}x${h.toFixed(0)}`);
  const rows = categories.map((row) => [
    row.name,
    String(row.images),
    String(row.objects),
    String(row.ignored),
    side(row.meanWidth, row.meanHeight),
    side(row.meanInputWidth, row.meanInputHeight),
  ]);
  const heads = ['category', 'images', 'objects', 'ignored', 'mean size', `at ${width}x${height}`];
  const left = Object.entries(dropped).map(([reason, count]) => printable(`${reason}: ${count}`));
  return [
    '',
    categories.every(({ meanWidth, ignored: crowds }) => meanWidth + crowds === 0)
      ? `${part}: ${images} images`
      : `${part}: ${images} images, ${withoutObjects} of them without objects; ${objects} objects, ${ignored} ignored`,
    table([heads, ...rows]),
    ...left,
  ].join('\n');
}
