import { loadRecipe } from '../recipe/load.js';
import type { AnchorLevel } from '../tasks/detection/anchors.js';
import { fitToRecipe, type FittedAnchors } from '../trials/anchors.js';
import { ceilingTable } from './ceilingTable.js';
import { watched } from './watched.js';

export interface AnchorsCommand {
  readonly set?: readonly string[];
  /** Most anchors per cell: of every level, or one number for each, finest first. */
  readonly n?: readonly number[] | undefined;
  readonly json?: boolean;
}

/** `finetune anchors recipe.yaml`: anchors fitted to the training boxes, on stdout as a block for the recipe; the
 *  recall ceilings before and after on stderr. Throws what fitToRecipe throws. */
export async function anchors(path: string, { set = [], n, json = false }: AnchorsCommand): Promise<void> {
  const recipe = await loadRecipe(path, { set });
  const { levels, ...fit } = await watched(({ signal }) => fitToRecipe(recipe, { counts: n, signal }));
  if (json) {
    console.log(JSON.stringify(fit));
    return;
  }
  const rows = [
    ['as it is', fit.before],
    ['fitted', fit.after],
  ] as const;
  console.error(ceilingTable(fit.threshold, rows));
  if (recipe.model.weights)
    console.error('Published weights of a head belong to its own anchors: with these, the head is trained anew.');
  console.log(anchorBlock(fit.model, levels));
}

/** The fitted anchors as YAML, to paste into a recipe. */
export function anchorBlock(model: FittedAnchors['model'], levels: readonly AnchorLevel[]): string {
  if ('anchorScale' in model) return `model:\n  anchorScale: ${model.anchorScale}`;
  const rows = model.anchors.map((shapes, k) => {
    const { height, width } = levels[k]!.grid;
    return `    - [${shapes.map(([w, h]) => `[${w}, ${h}]`).join(', ')}] # ${width}x${height} cells`;
  });
  return ['model:', '  anchors:', ...rows].join('\n');
}
