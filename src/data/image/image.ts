import { access } from 'node:fs/promises';
import sharp, { type SharpOptions } from 'sharp';
import { FinetuneError } from '../../errors.js';
import type { Extent, Frame } from './frame.js';
import { meanColour } from './meanColour.js';
import { distortColours, type Distortion } from '../pipeline/augment/photometric.js';
import type { Picture } from '../sample.js';

// Many images are decoded at once, each in a thread of the pool: threads inside one image would only get in each other's
// way, and no image is read twice soon enough for a cache to help.
sharp.concurrency(1);
sharp.cache(false);

/** Real photos are full of harmless warnings (stray bytes before a marker); a truncated one is grey from some row on.
 *  Embedded colour profiles are left alone, as PIL does: the published weights have seen images read that way. */
const reading: SharpOptions = { failOn: 'truncated', ignoreIcc: true, autoOrient: true };

/** Catmull-Rom's cubic (a = −½) is PIL's BICUBIC, too. */
const KERNELS = { bilinear: 'linear', bicubic: 'cubic' } as const;

export interface DecodeOptions {
  /** RGB 0…255 of what lies outside the image. */
  readonly fill?: readonly [number, number, number];
  readonly interpolation?: 'bilinear' | 'bicubic' | undefined;
  /** Change of the image's colours; the fill keeps its own. */
  readonly distortion?: Distortion | undefined;
  /** Standard deviation of a Gaussian blur, pixels of the input, 0.3 and more. */
  readonly blur?: number | undefined;
}

/** Decode the part of an image that a frame asks for and bring it to the input's size: EXIF orientation, crop, antialiased
 *  resize, flip in one call off the main thread, then colours and fill. Greyscale, CMYK, palette, alpha
 *  (dropped) and 16 bits all become 8-bit RGB. One frame pixel is within a few levels of PIL's BILINEAR.
 *  Throws E_IMAGE_MISSING or E_IMAGE_DECODE with the file. */
export async function decodeImage(
  file: string,
  frame: Frame,
  { fill = meanColour, interpolation = 'bilinear', distortion, blur }: DecodeOptions = {},
): Promise<Picture> {
  const { image, region, target, flip, width, height } = frame;
  const source = sharp(file, reading);
  // A crop keeps the JPEG decoder from shrinking while it reads, so the whole image is not "cropped".
  if (region.width < image.width || region.height < image.height) source.extract(region);
  if (blur !== undefined) source.blur(blur); // after the resize, wherever it is asked for
  const pixels = await source
    .resize(target.width, target.height, { fit: 'fill', kernel: KERNELS[interpolation], fastShrinkOnLoad: false })
    .flop(flip)
    .removeAlpha()
    .toColourspace('srgb')
    .raw()
    .toBuffer()
    .catch((error: unknown) => fail(file, error));
  const inner = new Uint8Array(pixels.buffer, pixels.byteOffset, pixels.byteLength);
  if (distortion) distortColours(inner, distortion);
  if (target.width === width && target.height === height) return { data: inner, width, height };
  return { data: pad(inner, frame, fill), width, height };
}

/** Width and height of an image as stored upright, from its header. Throws E_IMAGE_MISSING or E_IMAGE_DECODE with the file. */
export async function readImageSize(file: string): Promise<Extent> {
  const { width, height } = await readImageHeader(file);
  return { width, height };
}

/** Size as stored upright, and the EXIF orientation that makes it so: 1 leaves the image as it is, 5 to 8 swap the sides. */
export async function readImageHeader(file: string): Promise<Extent & { readonly orientation: number }> {
  const { autoOrient, orientation = 1 } = await sharp(file, reading)
    .metadata()
    .catch((error: unknown) => fail(file, error));
  return { width: autoOrient.width, height: autoOrient.height, orientation };
}

function pad(inner: Uint8Array, { target, width, height }: Frame, [r, g, b]: readonly [number, number, number]) {
  const data = new Uint8Array(width * height * 3); // [height, width, 3]
  const row = new Uint8Array(width * 3);
  for (let x = 0; x < width * 3; x += 3) {
    row[x] = r;
    row[x + 1] = g;
    row[x + 2] = b;
  }
  for (let y = 0; y < height; y++) data.set(row, y * width * 3);
  for (let y = 0; y < target.height; y++) {
    const from = y * target.width * 3;
    data.set(inner.subarray(from, from + target.width * 3), ((target.top + y) * width + target.left) * 3);
  }
  return data;
}

/** sharp's errors carry no code; whether the file is there says more than its wording. */
async function fail(file: string, error: unknown): Promise<never> {
  const there = await access(file).then(
    () => true,
    () => false,
  );
  const reason = error instanceof Error ? error.message.trim().split('\n')[0]! : String(error);
  throw new FinetuneError(
    {
      code: there ? 'E_IMAGE_DECODE' : 'E_IMAGE_MISSING',
      message: there ? `the image cannot be decoded: ${reason}` : 'the image is not there',
      where: { file },
      fix: 'replace or remove it, or set data.brokenImages: drop (the report counts them)',
    },
    { cause: error },
  );
}
