import type { Remark } from '../data/check/remark.js';
import type { Dataset } from '../data/sample.js';
import { roomySize, type DetectionRecipe } from '../run/detectionRecipe.js';
import { headOf, sizeMultipleOf } from '../tasks/detection/detectors.js';
import { OBJECT_SIZES, recallCeiling, type CeilingBySize } from '../tasks/detection/recallCeiling.js';
import { fitRecipeAnchors, placedBoxes, recipeAnchors, withModel } from './anchors.js';

/** A change of the recipe, and the recall ceiling that it would give. */
export interface AnchorAlternative {
  /** The option and its value, as in a recipe: model.finestStride: 8. */
  readonly change: string;
  readonly ceiling: CeilingBySize;
}

export interface AnchorCheck {
  /** IoU of a match. */
  readonly threshold: number;
  readonly now: CeilingBySize;
  readonly alternatives: readonly AnchorAlternative[];
}

/** Factor by which the input is enlarged for an alternative. */
const LARGER = 1.5;

const withSize = (recipe: DetectionRecipe, size: DetectionRecipe['data']['size']): DetectionRecipe => ({
  ...recipe,
  data: { ...recipe.data, size },
});

/** The recall ceilings of the recipe's anchors, and of changes that could improve them; undefined for a head without
 *  anchors. */
export function checkAnchors(recipe: DetectionRecipe, train: Dataset): AnchorCheck | undefined {
  const anchors = recipeAnchors(recipe);
  if (!anchors) return undefined;
  const { model, data } = recipe;
  const placed = placedBoxes(train, recipe);
  const alternatives: AnchorAlternative[] = [];
  const finer = headOf(model.head).forSmallObjects?.(model);
  if (finer) {
    const change = Object.entries(finer)
      .map(([name, value]) => `model.${name}: ${String(value)}`)
      .join(', ');
    alternatives.push({ change, ceiling: recallCeiling(recipeAnchors(withModel(recipe, finer))!, placed) });
  }
  const multiple = sizeMultipleOf(model);
  const more = (side: number): number => Math.ceil((side * LARGER) / multiple) * multiple;
  const { size } = data;
  const range = 'min' in size ? { ...size, min: more(size.min), max: more(size.max) } : undefined;
  const larger = withSize(recipe, range ?? ((size as readonly number[]).map(more) as [number, number]));
  const [height, width] = roomySize(larger);
  const square = height === width ? height : `[${height}, ${width}]`;
  alternatives.push({
    change: `data.size: ${range ? `{min: ${range.min}, max: ${range.max}}` : square}`,
    ceiling: recallCeiling(recipeAnchors(larger)!, placedBoxes(train, larger)),
  });
  const fitted = fitRecipeAnchors(recipe, placed);
  if (fitted) {
    const change =
      'anchors' in fitted.model
        ? 'model.anchors (finetune anchors prints them)'
        : `model.anchorScale: ${fitted.model.anchorScale}`;
    alternatives.push({ change, ceiling: fitted.ceiling });
  }
  return { threshold: anchors.threshold, now: recallCeiling(anchors, placed), alternatives };
}

/** A size class with a smaller share of the objects gets no warning, nor does one with a higher recall. */
const FEW = 0.05;
const LOW = 0.8;
/** Least gain in recall for a change to be named, and of the best change for a warning. */
const GAIN = 0.05;
const WORTHWHILE = 0.1;

/** A warning if the anchors miss many objects of a size class that a change of the recipe would reach. It names the
 *  changes, best first. */
export function anchorRemark({ threshold, now, alternatives }: AnchorCheck): Remark | undefined {
  const frequent = OBJECT_SIZES.filter((size) => now[size].objects >= FEW * now.all.objects && now[size].objects > 0);
  const [size] = frequent.sort((a, b) => now[a].recall - now[b].recall);
  if (size === undefined || now[size].recall >= LOW) return undefined;
  const { recall, objects } = now[size];
  const gains = alternatives
    .map(({ change, ceiling }) => ({ change, recall: ceiling[size].recall }))
    .filter((one) => one.recall >= recall + GAIN)
    .sort((a, b) => b.recall - a.recall);
  if (gains.length === 0 || gains[0]!.recall < recall + WORTHWHILE) return undefined;
  const percent = (share: number): string => `${(100 * share).toFixed(0)} %`;
  return {
    level: 'warning',
    part: 'train',
    code: 'W_ANCHOR_RECALL',
    message: `${percent(recall)} of the ${objects} ${size} objects have an anchor that overlaps them by IoU ${threshold}`,
    fix: `try ${gains.map((one) => `${one.change} (${percent(one.recall)})`).join(', or ')}`,
  };
}
