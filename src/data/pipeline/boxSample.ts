import { xyxy } from '../../geometry/box.js';
import { placeBoxes, type Frame } from '../image/frame.js';
import { ofKind, type Annotation, type BoxAnnotation, type BoxSample, type ClassIndex } from '../sample.js';
import { planAugmentation, type BoxAugmentation } from './augment/augment.js';
import { readPicture, type SampleOptions } from './readPicture.js';

export interface BoxSampleOptions extends SampleOptions {
  /** The changes to apply, instead of drawing them from `augment`. */
  readonly plan?: BoxAugmentation | undefined;
}

/** Read one image with its boxes; an object that is less than a pixel wide or high at the input's size becomes an
 *  ignored one.
 *  Throws as readPicture does. */
export async function loadBoxSample(
  annotation: BoxAnnotation,
  { plan: drawn, ...options }: BoxSampleOptions,
): Promise<BoxSample> {
  const { augment = false, random } = options;
  const plan =
    drawn ?? (augment && random ? planAugmentation(annotation, ofKind(augment, 'boxes'), random) : undefined);
  const { common, frame } = await readPicture(annotation, plan, options);
  const kept = plan?.kept ?? annotation.classes.map((_, i) => i);
  return { kind: 'boxes', ...common, ...placeObjects(annotation, kept, frame) };
}

/** Pixels of the input. A smaller object cannot be seen, and its offsets (log of the size) would dominate the loss. */
const LEAST_SIDE = 1;

/** Maps the objects in the rows `kept` to pixels of the input. Objects without area there are left out; those less than
 *  a pixel wide or high are ignored. */
export function placeObjects({ boxes: from, classes, ignore }: Annotation, kept: readonly number[], frame: Frame) {
  const corners: number[] = [];
  const rows: { readonly classIndex: ClassIndex; readonly ignored: boolean }[] = [];
  for (const row of kept) {
    const [x1, y1, x2, y2] = placeBoxes(xyxy(from.subarray(row * 4, row * 4 + 4)), frame) as Iterable<number>;
    if (x2! <= x1! || y2! <= y1!) continue;
    corners.push(x1!, y1!, x2!, y2!);
    const side = Math.min(x2! - x1!, y2! - y1!);
    rows.push({ classIndex: classes[row]!, ignored: ignore[row]! || side < LEAST_SIDE });
  }
  return {
    boxes: xyxy(corners),
    classes: rows.map(({ classIndex }) => classIndex),
    ignore: rows.map(({ ignored }) => ignored),
  };
}
