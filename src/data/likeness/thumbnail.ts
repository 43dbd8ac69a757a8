import sharp from 'sharp';
import { openFile } from '../image/image.js';
import { scanned, type Scan } from '../scan/scanCache.js';

/** An image as a unit vector: 16 × 16 grey values, less the plane that fits them best, divided by their length. The
 *  product of two of them is the correlation of the images, which brightness, contrast and light from one side do not
 *  change: backgrounds that fade from one side to the other would make any two images alike. */
export interface Thumbnail {
  /** [256], row after row. */
  readonly values: Float32Array;
  /** [16]: sums over blocks of 4 × 4 values, a quarter of them each. Two thumbnails are at least as far from each other as
   *  their blocks are. */
  readonly blocks: Float32Array;
}

const SIDE = 16;
const BLOCK = 4;
/** Pixels of the decoded picture for each value, per side: their mean hides how a decoder shrinks an image. */
const PER_VALUE = 2;
/** Least standard deviation, of 255 grey levels: below it, the pattern is noise. */
const LEAST_CONTRAST = 4;

/** Reads the thumbnail of an image file; undefined if it cannot be decoded, or is of one colour. */
export async function readThumbnail(file: string): Promise<Thumbnail | undefined> {
  const grey = await scanned(GREYS, file, () => readGrey(file));
  return grey === '' ? undefined : normalise(Buffer.from(grey, 'base64'));
}

/** Grey values as a text in base64; empty for an image that cannot be decoded. */
const GREYS: Scan<string> = {
  name: `greys-${sharp.versions.vips}`,
  isSound: (value): value is string => typeof value === 'string' && value.length === Math.ceil(SIDE ** 2 / 3) * 4,
  keeps: (grey) => grey !== '',
};

async function readGrey(file: string): Promise<string> {
  const side = SIDE * PER_VALUE;
  const grey = await openFile(file)
    .then((image) => image.greyscale().resize(side, side, { fit: 'fill' }).raw().toBuffer({ resolveWithObject: true }))
    .catch(() => undefined); // a broken image is reported elsewhere
  if (!grey) return '';
  const { data, info } = grey;
  const values = new Float32Array(SIDE * SIDE);
  for (let y = 0; y < side; y++)
    for (let x = 0; x < side; x++)
      values[Math.floor(y / PER_VALUE) * SIDE + Math.floor(x / PER_VALUE)]! +=
        data[(y * side + x) * info.channels]! / PER_VALUE ** 2;
  return Buffer.from(Uint8Array.from(values, Math.round)).toString('base64');
}

/** The thumbnail of grey values, [256]; undefined if they hardly differ. */
export function normalise(grey: ArrayLike<number>): Thumbnail | undefined {
  const values = withoutPlane(grey);
  const length = Math.sqrt(values.reduce((sum, value) => sum + value ** 2, 0));
  if (length < LEAST_CONTRAST * SIDE) return undefined;
  const blocks = new Float32Array((SIDE / BLOCK) ** 2);
  values.forEach((value, i) => {
    values[i] = value / length;
    const [x, y] = [i % SIDE, Math.floor(i / SIDE)];
    blocks[Math.floor(y / BLOCK) * (SIDE / BLOCK) + Math.floor(x / BLOCK)]! += values[i] / BLOCK;
  });
  return { values, blocks };
}

/** The values less their mean and their slopes along both axes. */
function withoutPlane(grey: ArrayLike<number>): Float32Array {
  const centre = (SIDE - 1) / 2;
  const at = (i: number): readonly [number, number] => [(i % SIDE) - centre, Math.floor(i / SIDE) - centre];
  const squares = (SIDE * SIDE * (SIDE * SIDE - 1)) / 12; // sum of the squared distances from the middle, along one axis
  let [mean, slopeX, slopeY] = [0, 0, 0];
  for (let i = 0; i < grey.length; i++) {
    const [x, y] = at(i);
    mean += grey[i]! / grey.length;
    slopeX += (grey[i]! * x) / squares;
    slopeY += (grey[i]! * y) / squares;
  }
  return Float32Array.from(grey, (value, i) => value - mean - slopeX * at(i)[0] - slopeY * at(i)[1]);
}

/** Whether the correlation of two images is at least `least`. */
export function areAlike(a: Thumbnail, b: Thumbnail, least: number): boolean {
  const most = 2 * (1 - least); // squared distance of unit vectors with this correlation
  return distance(a.blocks, b.blocks, most) <= most && distance(a.values, b.values, most) <= most;
}

/** The squared distance of two vectors, or a number above `most` as soon as it is larger. */
function distance(a: Float32Array, b: Float32Array, most: number): number {
  let sum = 0;
  for (let i = 0; i < a.length && sum <= most; i++) sum += (a[i]! - b[i]!) ** 2;
  return sum;
}
