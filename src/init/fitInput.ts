import type { Dataset } from '../data/sample.js';
import type { DetectionRecipe } from '../run/detectionRecipe.js';
import { recallCeiling } from '../tasks/detection/recallCeiling.js';
import type { AnchorShapes } from '../tasks/detection/anchors.js';
import { fitRecipeAnchors, placedBoxes, recipeAnchors } from '../trials/anchors.js';

/** The input of a detector that suits the sizes of its objects. */
export interface FittedInput {
  readonly side: number;
  readonly why: string;
  /** Anchors that find more of the objects than the published ones. */
  readonly anchors?: AnchorShapes | undefined;
  /** What they gain. */
  readonly gain?: string | undefined;
}

/** Recall ceiling that is enough, and the gain for which an input is made larger or anchors are replaced. */
const ENOUGH = 0.9;
const GAIN = 0.05;

/** Images whose objects are looked at, evenly spaced: the standard error of a share of 5,000 is below a percent. */
const MOST_IMAGES = 5000;

const some = (train: Dataset): Dataset => {
  const step = Math.ceil(train.annotations.length / MOST_IMAGES);
  return step < 2
    ? train
    : { ...train, annotations: train.annotations.filter((_, i) => i % step === 0), repeat: undefined };
};

/** Chooses the smallest side at which the anchors can find the objects: a larger one must raise the recall ceiling, the
 *  share of the objects that some anchor overlaps enough to learn them. Then anchors are fitted if that gains more. */
export async function fitInput(
  sides: readonly number[],
  all: Dataset,
  recipeFor: (side: number) => Promise<DetectionRecipe>,
): Promise<FittedInput> {
  const train = some(all);
  let best: { readonly side: number; readonly recipe: DetectionRecipe; readonly recall: number } | undefined;
  for (const side of sides) {
    const recipe = await recipeFor(side);
    const { objects, recall: share } = recallCeiling(recipeAnchors(recipe)!, placedBoxes(train, recipe)).all;
    const recall = objects > 0 ? share : 0; // every object may be smaller than a pixel of the input
    if (best && recall < best.recall + GAIN) break;
    best = { side, recipe, recall };
    if (recall >= ENOUGH) break;
  }
  const { side, recipe, recall } = best!;
  const reach = `anchors reach ${percent(recall)} of the objects`;
  const why = side === sides[0] ? `the side of the weights; ${reach}` : `${reach}; a smaller input reaches fewer`;
  if (recall >= ENOUGH) return { side, why };
  const fitted = fitRecipeAnchors(recipe, placedBoxes(train, recipe));
  if (!fitted || !('anchors' in fitted.model) || fitted.ceiling.all.recall < recall + GAIN) return { side, why };
  const gain = `fitted to the objects: they reach ${percent(fitted.ceiling.all.recall)} of them instead of ${percent(recall)}`;
  return { side, why, anchors: fitted.model.anchors, gain };
}

const percent = (share: number): string => `${(100 * share).toFixed(0)} %`;
