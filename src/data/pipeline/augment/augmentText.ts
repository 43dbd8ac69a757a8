import type { RandomStream } from '../../../random.js';
import { drawDistortion, type Distortion } from './photometric.js';
import type { TextAnnotation } from '../../sample.js';

/** Random changes to a training image of scene text. */
export interface TextAugment {
  readonly kind: 'text';
  /** Range of the magnification: input pixels per pixel of the image. */
  readonly zoom: readonly [least: number, most: number];
  /** Maximum rotation to either side, degrees. */
  readonly rotate: number;
  /** Probability of a left-right flip, which makes letters unreadable. */
  readonly flip: number;
  readonly photometric: boolean;
}

/** The part of the image that becomes the input. */
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

/** Number of draws of the centre, of which the one that cuts the fewest words is used. */
const TRIALS = 8;
/** Probability that the centre is drawn near a word rather than anywhere. */
const NEAR_WORD = 0.85;

/** Draw a part of an image, its rotation and its colours (as in Baek et al. 2019, section 4.2), so that few words are
 *  cut. */
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
    // The input stays inside the image, if the image is large enough.
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

/** Whether some corners of a word are inside the input and others are not. The rotation is small and neglected here. */
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
