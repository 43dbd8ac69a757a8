import { FinetuneError } from '../errors.js';
import type { Picture } from './transparency.js';

/** Pixels with 1, 3 or 4 values of 8 bits, row after row, such as the ImageData of a canvas. */
export interface PixelData {
  readonly data: Uint8Array | Uint8ClampedArray;
  readonly width: number;
  readonly height: number;
}

/** What a browser can draw: an <img>, <canvas> or <video>, an ImageBitmap, an OffscreenCanvas, a VideoFrame, a Blob. */
export type DrawableImage = object;

export type RuntimeImage = PixelData | DrawableImage;

interface Bitmap {
  readonly width: number;
  readonly height: number;
  close(): void;
}
interface Context {
  drawImage(image: Bitmap, x: number, y: number): void;
  getImageData(x: number, y: number, width: number, height: number): PixelData;
}
/** What the module uses of a browser: it is compiled without the types of one. */
interface Browser {
  readonly createImageBitmap?: (image: object, options: object) => Promise<Bitmap>;
  readonly OffscreenCanvas?: new (
    width: number,
    height: number,
  ) => { getContext(kind: '2d', options: object): Context | null };
}

/** Reads the pixels of an image as RGB, and their opacity. Throws E_FEED. */
export async function readPixels(image: unknown): Promise<Picture> {
  const pixels = isPixels(image) ? image : await draw(image);
  const { data, width, height } = pixels;
  const channels = data.length / (width * height);
  const spread = (channelOf: (colour: number) => number): Uint8Array => {
    const values = new Uint8Array(width * height * 3);
    for (let c = 0; c < 3; c++)
      for (let to = c, from = channelOf(c); to < values.length; to += 3, from += channels) values[to] = data[from]!;
    return values;
  };
  const rgb = channels === 3 ? Uint8Array.from(data) : spread((colour) => (channels === 1 ? 0 : colour));
  const opacity = channels === 4 ? spread(() => 3) : undefined;
  return { data: rgb, width, height, ...(opacity?.some((value) => value < 255) && { opacity }) };
}

const CHANNELS = [1, 3, 4];

const isSide = (value: unknown): value is number => Number.isInteger(value) && (value as number) > 0;

function isPixels(image: unknown): image is PixelData {
  const { data, width, height } = (image ?? {}) as Partial<PixelData>;
  if (!(data instanceof Uint8Array || data instanceof Uint8ClampedArray)) return false;
  if (isSide(width) && isSide(height) && CHANNELS.includes(data.length / (width * height))) return true;
  throw wrong(`${data.length} values are no image of ${String(width)}x${String(height)} pixels`);
}

/** Lets the browser decode and draw the image, upright, without its colour profile, as training reads photos. */
async function draw(image: unknown): Promise<PixelData> {
  const { createImageBitmap, OffscreenCanvas } = globalThis as Browser;
  if (typeof image !== 'object' || image === null || !createImageBitmap || !OffscreenCanvas)
    throw wrong(
      'predict wants {data, width, height} with 1, 3 or 4 values of 8 bits for each pixel, or in a browser an <img>, <canvas>, <video>, ImageBitmap or Blob',
    );
  const options = { colorSpaceConversion: 'none', premultiplyAlpha: 'none', imageOrientation: 'from-image' };
  const bitmap = await createImageBitmap(image, options).catch((error: unknown) => {
    throw wrong(`the browser cannot draw the image: ${error instanceof Error ? error.message : String(error)}`);
  });
  const { width, height } = bitmap;
  const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
  if (!context) throw wrong('the browser has no canvas to read the pixels from');
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  return context.getImageData(0, 0, width, height);
}

const wrong = (message: string): FinetuneError => new FinetuneError({ code: 'E_FEED', message: `image: ${message}` });
