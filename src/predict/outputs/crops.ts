import sharp from 'sharp';
import { frameImage, type Extent, type Rect } from '../../data/image/frame.js';
import { decodeImage, type ImageSource, type Pixels } from '../../data/image/image.js';
import type { AnyFound, PredictedEntry } from '../entry.js';
import { encode, type PictureFormat } from './drawPrediction.js';

/** A thing that was found, cut out of its image. */
export interface Crop {
  /** The class, or `text`. */
  readonly category: string;
  /** Place among the predictions of its image, from 1 on. */
  readonly number: number;
  readonly bytes: Uint8Array;
}

/** Pixels of an image that is decoded at once for all of its crops; of a larger one each crop is decoded alone. */
const MOST_PIXELS = 2 ** 26;

/** Cuts the predictions out of an image, at the image's own size: boxes, and the upright rectangles around words.
 *  Throws E_IMAGE_MISSING, E_IMAGE_DECODE. */
export async function* cutCrops(
  source: ImageSource,
  { width, height, predictions }: PredictedEntry,
  format: PictureFormat,
): AsyncGenerator<Crop> {
  const image = { width, height };
  const isSmall = width * height <= MOST_PIXELS;
  const whole: ImageSource = isSmall && predictions.length > 0 ? await decodePart(source, image) : source;
  for (const [i, found] of predictions.entries()) {
    const place = placeOf(found, image);
    if (!place) continue;
    const { data, ...size } = await decodePart(whole, image, place);
    const bytes = await encode(sharp(data, { raw: { ...size, channels: 3 } }), format);
    yield { category: 'category' in found ? found.category : 'text', number: i + 1, bytes };
  }
}

async function decodePart(source: ImageSource, image: Extent, patch?: Rect): Promise<Pixels> {
  const { width, height } = patch ?? image;
  return decodeImage(source, frameImage(image, { size: [height, width], ...(patch && { patch }) }));
}

/** The whole pixels that a prediction touches, at least one; undefined for a class, which has no place. */
function placeOf(found: AnyFound, image: Extent): Rect | undefined {
  if ('probability' in found) return undefined;
  const xs = 'box' in found ? [found.box[0], found.box[0] + found.box[2]] : found.polygon.map(([x]) => x);
  const ys = 'box' in found ? [found.box[1], found.box[1] + found.box[3]] : found.polygon.map(([, y]) => y);
  const [left, width] = within(Math.min(...xs), Math.max(...xs), image.width);
  const [top, height] = within(Math.min(...ys), Math.max(...ys), image.height);
  return { left, top, width, height };
}

function within(from: number, to: number, end: number): [start: number, length: number] {
  const start = Math.min(end - 1, Math.max(0, Math.floor(from)));
  return [start, Math.max(1, Math.min(end, Math.ceil(to)) - start)];
}
