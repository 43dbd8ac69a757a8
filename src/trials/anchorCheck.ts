import { frameImage } from '../data/image/frame.js';
import { placeObjects } from '../data/pipeline/boxSample.js';
import type { Dataset } from '../data/sample.js';
import { xyxy } from '../geometry/box.js';
import { randomStream } from '../random.js';
import { detectionOptions, recipeImages, roomySize, type DetectionRecipe } from '../run/recipeModel.js';
import type { AnchorLevel, AnchorShapes, DetectorAnchors } from '../tasks/detection/anchors.js';
import type { Remark } from '../data/check/remark.js';
import { createDetector } from '../tasks/detection/detection.js';
import { fitAnchors } from '../tasks/detection/fitAnchors.js';
import {
  OBJECT_SIZES,
  objectSize,
  recallCeiling,
  type CeilingBySize,
  type ObjectSize,
  type PlacedBoxes,
} from '../tasks/detection/recallCeiling.js';

/** What a change of the recipe would give. */
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

/** Anchors for the training boxes, as options of `model`, and what they allow. */
export interface FittedAnchors {
  readonly model: { readonly anchors: AnchorShapes } | { readonly anchorScale: number };
  readonly ceiling: CeilingBySize;
}

/** A larger input that is worth trying. */
const LARGER = 1.5;
/** Settings of fitAnchors' `placement` and of anchorScale that are tried; the best on the data is taken. */
const PLACEMENTS = [0.3, 0.4, 0.5, 0.6];
const SCALES = Array.from({ length: 25 }, (_, i) => Number((0.5 * 2 ** (i / 4)).toFixed(2)));

/** The boxes of a part as they reach the network without augmentation; what is not learned is left out. */
export function placedBoxes({ annotations }: Dataset, recipe: DetectionRecipe): PlacedBoxes {
  const placing = { ...recipeImages(recipe), size: roomySize(recipe) };
  const rows: number[] = [];
  const sizes: ObjectSize[] = [];
  for (const annotation of annotations) {
    const frame = frameImage(annotation, placing);
    for (const [row] of annotation.classes.entries()) {
      const { boxes, ignore } = placeObjects(annotation, [row], frame);
      if (ignore[0] !== false) continue;
      const [x1, y1, x2, y2] = annotation.boxes.subarray(row * 4, row * 4 + 4) as Iterable<number>;
      rows.push(...boxes);
      sizes.push(objectSize((x2! - x1!) * (y2! - y1!)));
    }
  }
  return { boxes: xyxy(rows), sizes };
}

const withSize = (recipe: DetectionRecipe, size: DetectionRecipe['data']['size']): DetectionRecipe => ({
  ...recipe,
  data: { ...recipe.data, size },
});
const withModel = (recipe: DetectionRecipe, change: object): DetectionRecipe => ({
  ...recipe,
  model: { ...recipe.model, ...change },
});
/** The anchors of the recipe's head; undefined where it has none. One class is enough: they are the same for any number. */
export const recipeAnchors = (recipe: DetectionRecipe): DetectorAnchors | undefined =>
  createDetector({ ...detectionOptions(recipe, 1), size: roomySize(recipe) }).anchors;

/** Recall ceilings of the recipe's anchors and of what could be changed; undefined for a head without anchors. */
export function checkAnchors(recipe: DetectionRecipe, train: Dataset): AnchorCheck | undefined {
  const anchors = recipeAnchors(recipe);
  if (!anchors) return undefined;
  const { model, data } = recipe;
  const placed = placedBoxes(train, recipe);
  const alternatives: AnchorAlternative[] = [];
  if (model.head === 'ssdlite' && model.finestStride === 16 && typeof model.anchors === 'string') {
    const finer = withModel(recipe, { finestStride: 8 });
    alternatives.push({ change: 'model.finestStride: 8', ceiling: recallCeiling(recipeAnchors(finer)!, placed) });
  }
  const multiple = 'neck' in model && model.neck === 'balanced' ? 128 : 32;
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
  if (placed.sizes.length > 0) {
    const fitted = fitRecipeAnchors(recipe, placed)!;
    const change =
      'anchors' in fitted.model
        ? 'model.anchors (finetune anchors prints them)'
        : `model.anchorScale: ${fitted.model.anchorScale}`;
    alternatives.push({ change, ceiling: fitted.ceiling });
  }
  return { threshold: anchors.threshold, now: recallCeiling(anchors, placed), alternatives };
}

/** Fits the anchors of the recipe's head to boxes: own lists for the SSD family, at most `counts` on each level (without it: as many as it has);
 *  a scale for the others. Undefined for a head without anchors. */
export function fitRecipeAnchors(
  recipe: DetectionRecipe,
  placed: PlacedBoxes,
  counts?: readonly number[],
): FittedAnchors | undefined {
  const anchors = recipeAnchors(recipe);
  if (!anchors) return undefined;
  const tried = 'anchorScale' in recipe.model ? scaled(anchors, recipe.model.anchorScale) : fitted(recipe, anchors, placed, counts); // prettier-ignore
  const { model } = tried
    .map(({ model, levels }) => ({ model, worth: worth(recallCeiling({ ...anchors, levels }, placed)) }))
    .reduce((best, next) => (next.worth > best.worth ? next : best));
  return { model, ceiling: recallCeiling(recipeAnchors(withModel(recipe, model))!, placed) };
}

interface Trial {
  readonly model: FittedAnchors['model'];
  readonly levels: readonly AnchorLevel[];
}

/** The anchors at other scales, but for the rounding to whole pixels. */
const scaled = ({ levels }: DetectorAnchors, now: number): Trial[] =>
  SCALES.map((anchorScale) => ({
    model: { anchorScale },
    levels: levels.map((level) => ({
      ...level,
      shapes: level.shapes.map(([w, h]) => [(w * anchorScale) / now, (h * anchorScale) / now]),
    })),
  }));

function fitted(
  recipe: DetectionRecipe,
  { levels }: DetectorAnchors,
  placed: PlacedBoxes,
  counts: readonly number[] = levels.map(({ shapes }) => shapes.length),
): Trial[] {
  const size = roomySize(recipe);
  const [height, width] = size;
  return PLACEMENTS.map((placement) => {
    const anchors = fitAnchors(levels, placed, { counts, size, placement }, randomStream(recipe.seed, 'anchors'));
    const inPixels = levels.map((level, k) => ({
      ...level,
      shapes: anchors[k]!.map(([w, h]): [number, number] => [w * width, h * height]),
    }));
    return { model: { anchors }, levels: inPixels };
  });
}

/** Recall alone says nothing where all boxes have a match: the better fit is learned faster. */
const worth = ({ all }: CeilingBySize): number => all.recall + all.meanIou;

/** A size of objects that fewer have is not worth a word. */
const FEW = 0.05;
const LOW = 0.8;
/** What a change must add to the recall of these objects to be named, and the best one to be worth a warning. */
const GAIN = 0.05;
const WORTHWHILE = 0.1;

/** A warning where the anchors miss many objects of some size that a change of the recipe would reach; the changes, best first. */
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
