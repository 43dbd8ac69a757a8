import { COCO } from '../pycocotools/index.js';
import { z } from 'zod';
import { FinetuneError } from '../errors.js';
import { openDatasets as openParts, type DataOptions, type Datasets, type OpenDataOptions } from '../data/dataset.js';
import { scoreCoco as scorePair, type CocoPair } from '../evaluate/coco.js';
import type { CocoScore } from '../evaluate/cocoScore.js';
import type { TaskScore } from '../evaluate/createTask.js';
import type { Evaluation } from '../evaluate/evaluate.js';
import { finetune as run, type FinetuneOptions, type FinetuneResult } from '../finetune.js';
import { count } from '../optionValues.js';
import { loadRecipe as readRecipe, type LoadOptions } from '../recipe/load.js';
import { recipeSchema, type Recipe } from '../recipe/schema.js';
import { labelledData } from '../recipe/schema/labelledData.js';
import { objectData } from '../recipe/schema/objectData.js';
import { textData } from '../recipe/schema/textData.js';
import { evaluateRecipe as evaluate, type EvaluateRecipeOptions } from '../run/evaluateRecipe.js';
import { checkArgument, checkText, hooks } from './arguments.js';

const text = z.string().min(1);

const loading = z.strictObject({ set: z.array(z.string()).optional(), beneath: z.string().optional() });

/** Reads a recipe, the ones that it extends, and the overrides. A relative `data.root` (or `file:` and `run:` of
 *  `model.weights`) counts from the folder of the file it stands in, or from the current directory when an override
 *  sets it. Throws E_USAGE, and a FinetuneError with every problem at once (E_RECIPE_…). */
export async function loadRecipe(path: string, options: LoadOptions = {}): Promise<Recipe> {
  checkText('path', path);
  checkArgument('options', loading, options);
  return readRecipe(path, options);
}

const running = z.strictObject({
  ...hooks,
  directory: text.optional(),
  resume: z.boolean().optional(),
  extend: count.optional(),
});

/** Finetunes a model as a recipe says: recipe → data → model → train → evaluate → report. `source` is a recipe or
 *  its file.
 *  Throws E_USAGE, and what is wrong with the recipe, its data, its weights or the run directory, each with its
 *  place. */
export async function finetune(source: Recipe | string, options: FinetuneOptions = {}): Promise<FinetuneResult> {
  if (typeof source === 'string') checkText('source', source);
  else checkRecipe('source', source);
  checkArgument('options', running, options);
  return run(source, options);
}

const evaluating = z.strictObject({ ...hooks, weights: text.optional() });

/** Scores the recipe's model as it is, without training, on the recipe's test part, or on its validation part where it
 *  has no test part. The weights must know every class of the data.
 *  Throws E_USAGE, E_WEIGHTS_MODEL, and the signal's reason when aborted. */
export async function evaluateRecipe(
  recipe: Recipe,
  options: EvaluateRecipeOptions = {},
): Promise<Evaluation<TaskScore>> {
  checkRecipe('recipe', recipe);
  checkArgument('options', evaluating, options);
  return evaluate(recipe, options);
}

const layouts = [objectData, labelledData, textData] as const;
const reading = z.strictObject({ option: text.optional(), signal: hooks.signal });

/** Opens the parts to train, to validate and, where there is one, to test on, with the same categories in the same
 *  order. Reads annotations, no pixels. Throws E_USAGE, every problem of all parts at once, and E_DATA_EMPTY if a part
 *  has no image. */
export async function openDatasets(data: DataOptions, options: OpenDataOptions = {}): Promise<Datasets> {
  checkArgument('options', reading, options);
  const { format } = checkArgument('data', z.looseObject({ format: z.string() }), data);
  const schema = layouts.find((layout) => layout.options.some(({ shape }) => shape.format.safeParse(format).success));
  // A format that no layout has is named by the first one's message, with those that it knows.
  const whole = checkArgument('data', (schema ?? objectData) as z.ZodType<DataOptions>, withoutTag(data));
  return openParts(whole, options);
}

const pair = z.strictObject({ truth: z.instanceof(COCO), detections: z.instanceof(COCO) });

/** Scores detections by COCO's protocol for boxes: IoU .50:.05:.95, at most 100 detections per image. `truth` and
 *  `detections` are COCO objects of tfjs-finetune/pycocotools. Throws E_USAGE. */
export function scoreCoco(given: CocoPair): CocoScore {
  checkArgument('pair', pair, given);
  return scorePair(given);
}

/** Throws E_USAGE unless the argument is a recipe as `loadRecipe` returns it: with every default. */
function checkRecipe(name: string, recipe: unknown): void {
  const { data } = checkArgument(name, z.looseObject({ data: z.looseObject({}) }), recipe);
  const given = { ...(recipe as object), data: withoutTag(data) };
  const missing = pathOfMissing(given, checkArgument(name, recipeSchema as z.ZodType<object>, given));
  if (missing === undefined) return;
  const message = `"${[name, ...missing].join('.')}" is missing`;
  throw new FinetuneError({ code: 'E_USAGE', message, fix: 'pass a recipe that loadRecipe returned' });
}

/** The path to the first option that the schema had to fill in, apart from the tags that it adds itself. */
function pathOfMissing(given: object, whole: object): string[] | undefined {
  for (const [key, filled] of Object.entries(whole) as [string, unknown][]) {
    const value = (given as Readonly<Record<string, unknown>>)[key];
    if (filled === undefined || key === 'kind') continue;
    if (value === undefined) return [key];
    if (typeof filled !== 'object' || filled === null || typeof value !== 'object' || value === null) continue;
    const inner = pathOfMissing(value, filled);
    if (inner) return [key, ...inner];
  }
  return undefined;
}

/** The data without the tag that the schema adds to the augmentation, so that the schema can read them again. */
function withoutTag(data: object): object {
  const { augment } = data as { readonly augment?: unknown };
  if (typeof augment !== 'object' || augment === null) return data;
  return { ...data, augment: Object.fromEntries(Object.entries(augment).filter(([option]) => option !== 'kind')) };
}
