import { fileURLToPath } from 'node:url';
import { frameImage, placementOf, type Extent, type Rect } from '../data/image/frame.js';
import { decodeImage, type ImageSource, type Pixels } from '../data/image/image.js';
import { bucketOf } from '../data/pipeline/buckets.js';
import { FinetuneError } from '../errors.js';
import type { ModelDescription } from '../tasks/description/description.js';
import type { Origin } from '../tasks/network.js';
import { fetchImage } from './inputs/fetchImage.js';

/** An image to predict: the path of a file, a file:, http: or https: URL, the bytes of a file, or pixels with 1, 3 or 4
 *  channels. */
export type ImageInput = string | URL | Uint8Array | Pixels;

/** Checks an image that was given to `predict`. Throws E_FEED. */
export function checkImage(given: unknown): ImageSource | URL {
  if (typeof given === 'string' && given !== '') return given;
  if (given instanceof URL && given.protocol === 'file:') return fileURLToPath(given);
  if (given instanceof URL && /^https?:$/.test(given.protocol)) return given;
  if (given instanceof Uint8Array && given.length > 0) return given;
  const pixels = pixelsOf(given);
  if (pixels) return pixels;
  throw new FinetuneError({
    code: 'E_FEED',
    message:
      'image: predict wants the path of an image file, the bytes of one, a URL, or {data, width, height} with 1, 3 or 4 values of 8 bits for each pixel',
  });
}

/** What an image is read from: the bytes behind a URL are fetched. Throws E_IMAGE_FETCH. */
export const sourceOf = async (image: ImageSource | URL): Promise<ImageSource> =>
  image instanceof URL ? fetchImage(image) : image;

const CHANNELS = [1, 3, 4];

function pixelsOf(given: unknown): Pixels | undefined {
  if (typeof given !== 'object' || given === null) return undefined;
  const { data, width, height } = given as Partial<Record<keyof Pixels, unknown>>;
  if (!(data instanceof Uint8Array || data instanceof Uint8ClampedArray)) return undefined;
  if (!isSide(width) || !isSide(height) || !CHANNELS.includes(data.length / (width * height))) return undefined;
  return { data, width, height };
}

const isSide = (value: unknown): value is number => Number.isInteger(value) && (value as number) > 0;

/** An image, or a tile of one, as the network reads it. */
export interface View {
  /** [height, width, 3], RGB. */
  readonly pixels: Uint8Array;
  /** Height and width. */
  readonly size: readonly [number, number];
  readonly origin: Origin;
}

/** Reads an image of this extent as validation does, at the size that fits it best where the model has several; or a
 *  part of it as if it were an image of its own, which may reach beyond the image. Throws E_IMAGE_MISSING,
 *  E_IMAGE_DECODE. */
export async function readView(
  source: ImageSource,
  { width, height }: Extent,
  description: ModelDescription,
  part?: Rect,
): Promise<View> {
  const { resize, limits, cropFraction, interpolation } = description.images;
  const one = description.task === 'text' ? description.evaluateSize : description.size;
  const { sizes = [one] } = description;
  const size = limits ? bucketOf(part ?? { width, height }, sizes, limits) : one;
  const frame = frameImage(
    { width, height },
    { size, resize, limits, ...(cropFraction && { cropFraction }), ...(part && { patch: part }) },
  );
  const picture = await decodeImage(source, frame, { interpolation });
  const origin = { imageId: 0, placement: placementOf(frame), originalWidth: width, originalHeight: height, picture };
  return { pixels: picture.data, size, origin };
}
