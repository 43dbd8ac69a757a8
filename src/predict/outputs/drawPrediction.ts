import sharp, { type Sharp } from 'sharp';
import { frameImage, type Extent } from '../../data/image/frame.js';
import { decodeImage, type ImageSource } from '../../data/image/image.js';
import type { LetterFont } from '../../draw/lettering.js';
import { drawBars, drawShapes, type DrawnShape } from '../../draw/overlay.js';
import type { AnyFound, PredictedEntry } from '../entry.js';

/** Sides of a drawing, in pixels: larger images are made smaller, since nobody looks at all of their pixels at once, and
 *  small ones larger, so that labels do not hide them. */
const [MOST_SIDE, LEAST_SIDE, MOST_GROWTH] = [4096, 480, 4];

/** The place of the colour of words, a light blue, which is rare in photos of text. */
const WORDS = 5;

/** Formats of the drawings, by the ending of their file. */
export type PictureFormat = 'jpg' | 'png';

/** The image with its predictions drawn on it, as the bytes of a file. `classIndexOf` gives the place of a category in
 *  the model's list, which determines its colour. Throws E_IMAGE_MISSING, E_IMAGE_DECODE. */
export async function drawPrediction(
  source: ImageSource,
  { width, height, predictions }: Pick<PredictedEntry, 'width' | 'height' | 'predictions'>,
  options: {
    readonly classIndexOf: (categoryId: number) => number;
    readonly fonts: readonly LetterFont[];
    readonly format: PictureFormat;
  },
): Promise<Uint8Array> {
  const { fonts, format } = options;
  const size = drawingSize({ width, height });
  const svg = overlayOf(predictions, { width, height }, size, options, fonts);
  const frame = frameImage({ width, height }, { size: [size.height, size.width] });
  const { data } = await decodeImage(source, frame, { interpolation: 'bicubic' });
  const picture = sharp(data, { raw: { ...size, channels: 3 } }).composite([{ input: Buffer.from(svg) }]);
  return encode(picture.removeAlpha(), format);
}

export const encode = (picture: Sharp, format: PictureFormat): Promise<Buffer> =>
  (format === 'png' ? picture.png() : picture.jpeg({ quality: 90, chromaSubsampling: '4:4:4' })).toBuffer();

function drawingSize({ width, height }: Extent): Extent {
  const long = Math.max(width, height);
  const scale = long > MOST_SIDE ? MOST_SIDE / long : Math.min(MOST_GROWTH, Math.max(1, LEAST_SIDE / long));
  const side = (length: number): number => Math.max(1, Math.round(length * scale));
  return { width: side(width), height: side(height) };
}

function overlayOf(
  predictions: readonly AnyFound[],
  image: Extent,
  size: Extent,
  { classIndexOf }: { readonly classIndexOf: (categoryId: number) => number },
  fonts: readonly LetterFont[],
): string {
  const [scaleX, scaleY] = [size.width / image.width, size.height / image.height];
  const scaled = ([x, y]: readonly [number, number]): [number, number] => [x * scaleX, y * scaleY];
  const shapes = predictions.flatMap((found): DrawnShape[] => {
    if ('probability' in found) return [];
    if ('polygon' in found) return [{ outline: found.polygon.map(scaled), classIndex: WORDS }];
    const [x, y, w, h] = found.box;
    const corners = [[x, y] as const, [x + w, y] as const, [x + w, y + h] as const, [x, y + h] as const];
    const label = { name: found.category, score: found.score.toFixed(2) };
    return [{ outline: corners.map(scaled), classIndex: classIndexOf(found.categoryId), label }];
  });
  const classes = predictions.flatMap((found) =>
    'probability' in found
      ? [{ name: found.category, probability: found.probability, classIndex: classIndexOf(found.categoryId) }]
      : [],
  );
  return classes.length > 0 ? drawBars(classes, size, fonts) : drawShapes(shapes, size, fonts);
}
