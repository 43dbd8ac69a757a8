import sharp from 'sharp';
import { spreadImages } from '../../data/firstImages.js';
import { frameImage } from '../../data/image/frame.js';
import { decodeImage, readImageHeader } from '../../data/image/image.js';
import type { DemoSample } from '../../demo/content.js';
import { FinetuneError } from '../../errors.js';
import { otherImages } from '../images.js';
import type { RunData } from '../source.js';

/** Longer side of a sample in pixels, unless the model's input is larger. */
const LONG_SIDE = 720;

export interface SampleOptions {
  /** The number of samples at most. */
  readonly most: number;
  /** Pixels of the model's input. */
  readonly size: readonly [number, number];
  readonly signal: AbortSignal | undefined;
}

/** Images of the validation part, spread evenly over it. */
export const samplesOf = ({ data }: RunData, options: SampleOptions): Promise<DemoSample[]> =>
  encodeFirst(
    spreadImages(data.val, options.most).annotations.map(({ file }) => file),
    options,
  );

/** The first images of a folder. Throws E_PREDICT_INPUT if it has none, and E_IMAGE_MISSING if it is not there. */
export async function samplesIn(folder: string, options: SampleOptions): Promise<DemoSample[]> {
  const inputs = await otherImages(folder, options.signal);
  const files = inputs.flatMap((input) => ('path' in input && typeof input.path === 'string' ? [input.path] : []));
  return encodeFirst(files, options);
}

/** Encodes the first images that can be read. */
async function encodeFirst(files: readonly string[], options: SampleOptions): Promise<DemoSample[]> {
  const samples: DemoSample[] = [];
  for (const file of files) {
    if (samples.length === options.most) break;
    const sample = await encode(file, samples.length, options).catch(unreadable);
    if (sample) samples.push(sample);
  }
  return samples;
}

function unreadable(error: unknown): undefined {
  if (!(error instanceof FinetuneError && error.code.startsWith('E_IMAGE_'))) throw error;
}

/** Encodes an image anew, upright and small. Names of files and what cameras write into them, such as the place, do not come
 *  into the page, since people publish it. */
async function encode(file: string, index: number, { size, signal }: SampleOptions): Promise<DemoSample> {
  signal?.throwIfAborted();
  const image = await readImageHeader(file);
  const longSide = Math.max(LONG_SIDE, ...size);
  const scale = Math.min(1, longSide / Math.max(image.width, image.height));
  const [width, height] = [image.width, image.height].map((side) => Math.max(1, Math.round(side * scale)));
  const { data } = await decodeImage(file, frameImage(image, { size: [height!, width!] }));
  const jpeg = await sharp(data, { raw: { width: width!, height: height!, channels: 3 } })
    .jpeg({ quality: 88, chromaSubsampling: '4:4:4' })
    .toBuffer();
  return { name: `Sample ${index + 1}`, jpeg: jpeg.toString('base64'), width: width!, height: height! };
}
