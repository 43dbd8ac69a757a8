import { fitRecipeAnchors, placedBoxes, recipeAnchors, type FittedAnchors } from '../trials/anchorCheck.js';
import { openDatasets } from '../data/dataset.js';
import { FinetuneError } from '../errors.js';
import { loadRecipe } from '../recipe/load.js';
import type { AnchorLevel } from '../tasks/detection/anchors.js';
import { recallCeiling } from '../tasks/detection/recallCeiling.js';
import { ceilingTable } from './ceilingTable.js';

export interface AnchorsCommand {
  readonly set?: readonly string[];
  /** Most anchors per cell: of every level, or one number for each, finest first. */
  readonly n?: readonly number[] | undefined;
  readonly json?: boolean;
}

/** `finetune anchors recipe.yaml`: anchors fitted to the training boxes, on stdout as a block for the recipe; before and after on stderr.
 *  Throws E_ANCHOR_HEAD for a model without anchors, E_ANCHOR_COUNTS for an `n` that does not fit its levels, E_DATA_EMPTY without objects. */
export async function anchors(path: string, { set = [], n, json = false }: AnchorsCommand): Promise<void> {
  const recipe = await loadRecipe(path, { set });
  const current = recipe.task === 'detection' ? recipeAnchors(recipe) : undefined;
  if (recipe.task !== 'detection' || !current) {
    const what = recipe.task === 'detection' ? `model.head: ${recipe.model.head}` : `task: ${recipe.task}`;
    const fix = 'finetune anchors serves detectors that have some: ssdlite, ssd, retinanet, fasterRcnn';
    throw new FinetuneError({ code: 'E_ANCHOR_HEAD', message: `"${what}" has no anchors`, where: { file: path }, fix });
  }
  const counts = n && countsOf(n, current.levels.length, recipe.model);
  const { train } = await openDatasets(recipe.data);
  const placed = placedBoxes(train, recipe);
  if (placed.sizes.length === 0)
    throw new FinetuneError({ code: 'E_DATA_EMPTY', message: `${train.name} has no objects to fit anchors to` });
  const fitted = fitRecipeAnchors(recipe, placed, counts)!;
  const before = recallCeiling(current, placed);
  const after = fitted.ceiling;
  if (json) {
    console.log(JSON.stringify({ threshold: current.threshold, before, after, model: fitted.model }));
    return;
  }
  console.error(ceilingTable(current.threshold, [['as it is', before], ['fitted', after]])); // prettier-ignore
  if (recipe.model.weights)
    console.error('published weights of a head were learned with its own anchors: it learns these anew');
  console.log(anchorBlock(fitted.model, current.levels));
}

function countsOf(n: readonly number[], levels: number, model: { readonly head: string }): readonly number[] {
  if (!('anchors' in model)) {
    const message = `"--n" has no effect with model.head: ${model.head}, whose anchors have one option, model.anchorScale`;
    throw new FinetuneError({ code: 'E_ANCHOR_COUNTS', message, fix: 'leave it out' });
  }
  const counts = n.length === 1 ? Array.from({ length: levels }, () => n[0]!) : n;
  if (counts.length === levels) return counts;
  const message = `"--n" has numbers for ${counts.length} levels, model.head: ${model.head} has ${levels}`;
  throw new FinetuneError({ code: 'E_ANCHOR_COUNTS', message, fix: 'give one number for all, or one for each level' });
}

/** The options as YAML to paste. */
export function anchorBlock(model: FittedAnchors['model'], levels: readonly AnchorLevel[]): string {
  if ('anchorScale' in model) return `model:\n  anchorScale: ${model.anchorScale}`;
  const rows = model.anchors.map((shapes, k) => {
    const { height, width } = levels[k]!.grid;
    return `    - [${shapes.map(([w, h]) => `[${w}, ${h}]`).join(', ')}] # ${width}x${height} cells`;
  });
  return ['model:', '  anchors:', ...rows].join('\n');
}
