import { frameImage } from '../data/image/frame.js';
import { placeObjects } from '../data/pipeline/boxSample.js';
import type { Dataset } from '../data/sample.js';
import { viewsOf } from '../data/views.js';
import { FinetuneError } from '../errors.js';
import { xyxy } from '../geometry/box.js';
import { randomStream } from '../random.js';
import { locating } from '../recipe/places.js';
import type { Recipe } from '../recipe/schema.js';
import { ownData } from '../run/recipeData.js';
import { detectionOptions, roomySize, type DetectionRecipe } from '../run/detectionRecipe.js';
import { taskOptions } from '../run/taskOptions.js';
import type { AnchorLevel, AnchorShapes, DetectorAnchors } from '../tasks/detection/anchors.js';
import { createDetector } from '../tasks/detection/detection.js';
import { headOf, headsThat } from '../tasks/detection/detectors.js';
import { fitAnchors } from '../tasks/detection/fitAnchors.js';
import {
  objectSize,
  recallCeiling,
  type CeilingBySize,
  type ObjectSize,
  type PlacedBoxes,
} from '../tasks/detection/recallCeiling.js';

/** Anchors fitted to the training boxes, as options of `model`, and their recall ceiling. */
export interface FittedAnchors {
  readonly model: { readonly anchors: AnchorShapes } | { readonly anchorScale: number };
  readonly ceiling: CeilingBySize;
}

/** Values of fitAnchors' `placement` and of anchorScale that are tried: the one that fits the data best is chosen. */
const PLACEMENTS = [0.3, 0.4, 0.5, 0.6];
const SCALES = Array.from({ length: 25 }, (_, i) => Number((0.5 * 2 ** (i / 4)).toFixed(2)));

export interface AnchorFit {
  /** The levels of the recipe's head. */
  readonly levels: readonly AnchorLevel[];
  /** IoU of a match. */
  readonly threshold: number;
  readonly before: CeilingBySize;
  readonly after: CeilingBySize;
  /** The fitted anchors, as options of `model`. */
  readonly model: FittedAnchors['model'];
}

export interface FitOptions {
  /** Most anchors per cell: of every level, or one number for each, finest first. */
  readonly counts?: readonly number[] | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Fits the anchors of a recipe's head to its training boxes.
 *  Throws E_ANCHOR_HEAD for a model without anchors, E_ANCHOR_COUNTS for `counts` that do not fit its levels,
 *  E_DATA_EMPTY without objects. */
export const fitToRecipe = (recipe: Recipe, { counts, signal }: FitOptions = {}): Promise<AnchorFit> =>
  locating(recipe, async () => {
    const detector = detectorOf(recipe);
    const { anchors } = detector;
    const perLevel = counts && countsOf(counts, anchors.levels.length, detector.recipe.model);
    const { train } = await ownData(recipe, { signal });
    const placed = placedBoxes(train, detector.recipe);
    if (placed.sizes.length === 0) {
      const message = `${train.name} has no objects to fit anchors to`;
      throw new FinetuneError({ code: 'E_DATA_EMPTY', option: 'data', message });
    }
    const { model, ceiling } = fitRecipeAnchors(detector.recipe, placed, perLevel)!;
    const { levels, threshold } = anchors;
    return { levels, threshold, before: recallCeiling(anchors, placed), after: ceiling, model };
  });

function detectorOf(recipe: Recipe): { readonly recipe: DetectionRecipe; readonly anchors: DetectorAnchors } {
  const anchors = recipe.task === 'detection' ? recipeAnchors(recipe) : undefined;
  if (recipe.task === 'detection' && anchors) return { recipe, anchors };
  const [option, value] = recipe.task === 'detection' ? ['model.head', recipe.model.head] : ['task', recipe.task];
  const heads = headsThat(({ anchorOption }) => anchorOption !== undefined);
  const fix = `finetune anchors works for detectors that have anchors: ${heads}`;
  throw new FinetuneError({ code: 'E_ANCHOR_HEAD', option, message: `"${option}: ${value}" has no anchors`, fix });
}

function countsOf(n: readonly number[], levels: number, model: { readonly head: string }): readonly number[] {
  const option = headOf(model.head).anchorOption!;
  if (option !== 'anchors') {
    const message = `"--n" has no effect with model.head: ${model.head}, whose anchors have one option, model.${option}`;
    throw new FinetuneError({ code: 'E_ANCHOR_COUNTS', message, fix: 'leave it out' });
  }
  const counts = n.length === 1 ? Array.from({ length: levels }, () => n[0]!) : n;
  if (counts.length === levels) return counts;
  const message = `"--n" has numbers for ${counts.length} levels, model.head: ${model.head} has ${levels}`;
  throw new FinetuneError({ code: 'E_ANCHOR_COUNTS', message, fix: 'give one number for all, or one for each level' });
}

/** The boxes of a part as they reach the network without augmentation. Boxes that are not learned are left out. */
export function placedBoxes(dataset: Dataset, recipe: DetectionRecipe): PlacedBoxes {
  const { tiles, ...images } = taskOptions(recipe).images;
  const placing = { ...images, size: roomySize(recipe) };
  const rows: number[] = [];
  const sizes: ObjectSize[] = [];
  for (const annotation of viewsOf(dataset, tiles).annotations) {
    const frame = frameImage(annotation, { ...placing, view: annotation.view });
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

export const withModel = (recipe: DetectionRecipe, change: object): DetectionRecipe => ({
  ...recipe,
  model: { ...recipe.model, ...change },
});

/** The anchors of the recipe's head; undefined if it has none. The number of classes makes no difference. */
export const recipeAnchors = (recipe: DetectionRecipe): DetectorAnchors | undefined =>
  createDetector({ ...detectionOptions(recipe, 1), size: roomySize(recipe) }).anchors;

/** Fits the anchors of the recipe's head to boxes: lists of anchors for the SSD family, with at most `counts` on
 *  each level (default: as many as the head has), and a scale for the others. Returns undefined for a head without
 *  anchors, and without boxes. */
export function fitRecipeAnchors(
  recipe: DetectionRecipe,
  placed: PlacedBoxes,
  counts?: readonly number[],
): FittedAnchors | undefined {
  const anchors = recipeAnchors(recipe);
  if (!anchors || placed.sizes.length === 0) return undefined;
  const { model: options } = recipe;
  const tried =
    'anchorScale' in options ? scaled(anchors, options.anchorScale) : fitted(recipe, anchors, placed, counts);
  const { model } = tried
    .map(({ model, levels }) => ({ model, worth: worth(recallCeiling({ ...anchors, levels }, placed)) }))
    .reduce((best, next) => (next.worth > best.worth ? next : best));
  return { model, ceiling: recallCeiling(recipeAnchors(withModel(recipe, model))!, placed) };
}

interface Trial {
  readonly model: FittedAnchors['model'];
  readonly levels: readonly AnchorLevel[];
}

/** The anchors at other scales, without their rounding to whole pixels. */
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

/** Recall alone cannot rank anchors that match all boxes. Among those, the ones that fit better are learned faster. */
const worth = ({ all }: CeilingBySize): number => all.recall + all.meanIou;
