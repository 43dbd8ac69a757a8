import { stat } from 'node:fs/promises';
import { FinetuneError, type Problem, type Where } from '../../errors.js';
import type { Annotation } from '../sample.js';
import type { Extent } from './frame.js';
import { readImageHeader, type ImageHeader } from './image.js';

/** When the size of an image is compared with its annotation. `once`: if that was not done before, or if the file has
 *  changed since. */
export type SizeCheck = boolean | 'once';

/** What tells a file from the one that replaces it, as it was when its size agreed with the annotation. */
const agreed = new WeakMap<Annotation, string>();

/** Throws E_IMAGE_SIZE if the image's header has another size than the annotation, E_IMAGE_MISSING or E_IMAGE_DECODE if
 *  it cannot be read. */
export async function assertSize(annotation: Annotation, check: SizeCheck): Promise<void> {
  if (check === false) return;
  const { file } = annotation;
  const { ino, size, mtimeMs } = await stat(file).catch(() => ({ ino: 0, size: 0, mtimeMs: 0 }));
  const stamp = `${ino} ${size} ${mtimeMs}`;
  if (check === 'once' && agreed.get(annotation) === stamp) return;
  const actual = await readImageHeader(file);
  if (!isSameSize(annotation, actual)) throw new FinetuneError(sizeProblem(annotation, actual, { file }));
  agreed.set(annotation, stamp);
}

export const isSameSize = (a: Extent, b: Extent): boolean => a.width === b.width && a.height === b.height;

/** The problem of an image whose annotation says another size, with the likely cause. `name` is the image, where the
 *  problem's place is another file. */
export function sizeProblem(said: Extent, actual: ImageHeader, where: Where, name = 'the image'): Problem {
  const { width, height } = actual;
  return {
    code: 'E_IMAGE_SIZE',
    message: `${name} is ${width}x${height}, but its annotation says ${said.width}x${said.height}`,
    where,
    fix: `${causeOf(said, actual)}; finetune check --fix DIR does this in a copy where the boxes leave no doubt; or set data.brokenImages: drop to leave it out (the report counts it)`,
  };
}

/** EXIF orientations from this one on swap the sides. */
const FIRST_TURNED = 5;

const isTurned = (said: Extent, { width, height }: Extent): boolean => width === said.height && height === said.width;

/** Whether labels state the size of the pixels as they are stored, and EXIF exchanges the sides. */
export const isTurnedByExif = (said: Extent, actual: ImageHeader): boolean =>
  isTurned(said, actual) && actual.orientation >= FIRST_TURNED;

/** Whether an image has the proportions of another size, to a pixel. */
export function isSameProportion(said: Extent, { width, height }: Extent): boolean {
  const factor = width / said.width;
  return Math.abs(said.height * factor - height) <= Math.max(1, factor);
}

function causeOf(said: Extent, actual: ImageHeader): string {
  const { width, orientation } = actual;
  if (isTurnedByExif(said, actual))
    return `its EXIF orientation (${orientation}) rotates it: annotate the upright image, or remove the orientation if the boxes were drawn without it`;
  if (isTurned(said, actual))
    return 'the annotation has width and height exchanged, since the image has no EXIF orientation that rotates it: exchange them in the annotation, and look whether x and y of the boxes are exchanged too';
  if (isSameProportion(said, actual))
    return `the image has the same proportions at ${Number((width / said.width).toPrecision(3))} times the size, so it was resized after it was annotated: use the image that was annotated, or multiply the boxes and the size in the annotation by that factor`;
  return 'the boxes belong to another image, or to another version of it';
}
