import type { RandomStream } from '../../../random.js';
import { drawDistortion, type Distortion } from './photometric.js';
import type { TextAnnotation } from '../../sample.js';

/** Random changes to a training image of scene text. */
export interface TextAugment {
  readonly kind: 'text';
  /** Least and most magnification, input pixels per pixel of the image. */
  readonly zoom: readonly [least: number, most: number];
  /** Most degrees of rotation, either way. */
  readonly rotate: number;
  /** Probability of a left-right flip, which turns letters into none. */
  readonly flip: number;
  readonly photometric: boolean;
}

/** Where the input looks at the image. */
export interface TextView {
  /** Pixel of the image that lands in the input's middle. */
  readonly centre: readonly [x: number, y: number];
  /** Input pixels per pixel of the image. */
  readonly zoom: number;
  /** Radians, clockwise. */
  readonly angle: number;
  readonly flip: boolean;
  readonly distortion: Distortion | undefined;
}

/** Draws of the middle, of which the one that cuts the fewest words is taken. */
const TRIALS = 8;
/** How often the middle is near a word rather than anywhere. */
const NEAR_WORD = 0.85;

/** Draw what part of an image is seen, and how: crops that keep words whole where they can (Baek et al. 2019, section 4.2: crop, rotate,
 *  colours). */
export function drawTextView(
  { width, height, words }: TextAnnotation,
  [rows, columns]: readonly [number, number],
  { zoom: [least, most], rotate, flip, photometric }: TextAugment,
  random: RandomStream,
): TextView {
  const zoom = least * (most / least) ** random.next();
  const angle = (random.uniform(-rotate, rotate) * Math.PI) / 180;
  const readable = words.filter(({ dontCare }) => !dontCare);
  const [halfWidth, halfHeight] = [columns / zoom / 2, rows / zoom / 2];
  let centre: readonly [number, number] = [width / 2, height / 2];
  let fewest = Infinity;
  for (let trial = 0; trial < TRIALS && fewest > 0; trial++) {
    const near =
      readable.length > 0 && random.chance(NEAR_WORD) ? readable[random.integer(0, readable.length)] : undefined;
    const drawn = [
      near ? near.outline[0]! + random.uniform(-0.7, 0.7) * halfWidth : random.uniform(0, width),
      near ? near.outline[1]! + random.uniform(-0.7, 0.7) * halfHeight : random.uniform(0, height),
    ] as const;
    // No further out than the picture goes, if it is large enough.
    const place = [within(drawn[0], halfWidth, width), within(drawn[1], halfHeight, height)] as const;
    const cut = readable.filter(({ outline }) => isCut(outline, place, halfWidth, halfHeight)).length;
    if (cut < fewest) [fewest, centre] = [cut, place];
  }
  return {
    centre,
    zoom,
    angle,
    flip: random.chance(flip),
    distortion: photometric ? drawDistortion(random) : undefined,
  };
}

const within = (value: number, half: number, length: number): number =>
  2 * half >= length ? length / 2 : Math.min(length - half, Math.max(half, value));

/** Whether some corners are seen and others are not; the small rotation is left out of account. */
function isCut(
  outline: readonly number[],
  [cx, cy]: readonly [number, number],
  halfWidth: number,
  halfHeight: number,
): boolean {
  let seen = 0;
  for (let i = 0; i < outline.length; i += 2) {
    if (Math.abs(outline[i]! - cx) < halfWidth && Math.abs(outline[i + 1]! - cy) < halfHeight) seen++;
  }
  return seen > 0 && seen < outline.length / 2;
}
