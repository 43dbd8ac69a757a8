import { access, constants, readFile } from 'node:fs/promises';
import sharp, { type Sharp, type SharpOptions } from 'sharp';
import { FinetuneError } from '../../errors.js';
import { decodeBmp } from './bmp.js';
import type { Extent, Frame, Rect } from './frame.js';
import { meanColour } from './meanColour.js';
import { pad } from './pad.js';
import { distortColours, type Distortion } from '../pipeline/augment/photometric.js';
import type { Picture } from '../sample.js';
import { scanned, type Scan } from '../scan/scanCache.js';
import { isStorage, readRgb, readStored, storageOf, type Storage } from './storage.js';

// Many images are decoded at once, each in a thread of the pool, so several threads per image would slow each other
// down. No image is read again soon enough for a cache to help.
sharp.concurrency(1);
sharp.cache(false);

/** Real photos are full of harmless warnings (stray bytes before a marker), but a truncated image is an error: it would
 *  be grey from some row on. Embedded colour profiles are ignored, as in PIL: the published weights were trained on
 *  images read that way. */
const reading: SharpOptions = { failOn: 'truncated', ignoreIcc: true, autoOrient: true };

/** libvips's cubic is Catmull-Rom (a = −½), as is PIL's BICUBIC. */
const KERNELS = { bilinear: 'linear', bicubic: 'cubic' } as const;

/** Pixels of an image, row after row: 1, 3 or 4 channels of 8 bits, as in the ImageData of a browser. */
export interface Pixels {
  readonly data: Uint8Array | Uint8ClampedArray;
  readonly width: number;
  readonly height: number;
}

/** The path of an image file, the bytes of one, or pixels. */
export type ImageSource = string | Uint8Array | Pixels;

function openSource(source: ImageSource): Sharp {
  if (typeof source === 'string' || source instanceof Uint8Array) return sharp(source, reading);
  const { data, width, height } = source;
  const channels = (data.length / (width * height)) as 1 | 3 | 4;
  return sharp(data, { ...reading, raw: { width, height, channels } });
}

/** Windows bitmaps are decoded here, since sharp cannot read them. */
const isBitmap = (source: ImageSource): source is string | Uint8Array =>
  typeof source === 'string'
    ? /\.bmp$/i.test(source)
    : source instanceof Uint8Array && source[0] === 0x42 && source[1] === 0x4d;

/** A file as sharp reads it, upright. Throws what sharp throws. */
export const openFile = async (file: string): Promise<Sharp> =>
  openSource(isBitmap(file) ? await readBitmap(file) : file);

const readBitmap = async (source: string | Uint8Array): Promise<Pixels> =>
  decodeBmp(typeof source === 'string' ? await readFile(source) : source);

export interface DecodeOptions {
  /** RGB 0…255 of the padding. */
  readonly fill?: readonly [number, number, number];
  readonly interpolation?: 'bilinear' | 'bicubic' | undefined;
  /** Change of the image's colours; the padding keeps its own. */
  readonly distortion?: Distortion | undefined;
  /** Standard deviation of a Gaussian blur, pixels of the input, 0.3 and more. */
  readonly blur?: number | undefined;
  /** Whether a JPEG file at least four times as large as the target may be decoded at a half, a quarter or an eighth of
   *  its size: that takes half the time, and values differ by a few levels from those that a browser can compute. */
  readonly shrinkOnLoad?: boolean;
}

/** From this reduction on along both axes, sharp lets the JPEG decoder shrink an image while it reads. */
const SHRINK_ON_LOAD = 4;

/** Decode the part of an image that a frame uses, at the input's size: EXIF orientation, crop, antialiased resize and
 *  flip in one call off the main thread, then colours and padding. Greyscale, CMYK, palette and 16-bit images become
 *  8-bit RGB; of a 16-bit image that uses fewer bits, such as 12, the highest 8 of those are kept. Colours are weighted
 *  by their opacity in the resize, and invisible pixels become black. Pixels are within a few levels of those of PIL's
 *  BILINEAR. Throws E_IMAGE_MISSING or E_IMAGE_DECODE with the file. */
export async function decodeImage(
  from: ImageSource,
  frame: Frame,
  { fill = meanColour, interpolation = 'bilinear', distortion, blur, shrinkOnLoad = false }: DecodeOptions = {},
): Promise<Picture> {
  const { image, region, target, flip, width, height } = frame;
  const isWhole = region.width === image.width && region.height === image.height;
  const reduction = Math.min(region.width / target.width, region.height / target.height);
  const read = async (storage: Storage): Promise<Uint8Array> => {
    const source = openSource(isBitmap(from) ? await readBitmap(from) : from);
    if (!(isWhole && shrinkOnLoad && reduction >= SHRINK_ON_LOAD)) crop(source, frame, storage);
    if (blur !== undefined) source.blur(blur); // sharp blurs after the resize, whatever the order of these calls
    const sized = { fit: 'fill', kernel: KERNELS[interpolation], fastShrinkOnLoad: false } as const;
    return readRgb(source.resize(target.width, target.height, sized).flop(flip), storage);
  };
  const inner = await readAsStored(from, read).catch((error: unknown) => fail(from, error));
  if (distortion) distortColours(inner, distortion);
  if (target.width === width && target.height === height) return { data: inner, width, height };
  return { data: pad(inner, frame, fill), width, height };
}

/** Reads a part of an image at its size, with the opacity of its pixels if it has any, so that it can be resized as if it
 *  came from its file. Throws E_IMAGE_MISSING or E_IMAGE_DECODE with the file. */
export async function readPart(from: ImageSource, region: Rect): Promise<Pixels> {
  const read = async (storage: Storage): Promise<Pixels> => {
    const source = openSource(isBitmap(from) ? await readBitmap(from) : from);
    const { data } = await readStored(source.extract(region), storage);
    return { data, width: region.width, height: region.height };
  };
  return readAsStored(from, read).catch((error: unknown) => fail(from, error));
}

/** Crops an image before it is resized, be it to the whole image: that keeps the JPEG decoder from shrinking the image
 *  while it reads, and turns it upright before it is resized. Afterwards, values would not be those of a program that
 *  resizes upright pixels, and an enlarged image would be shifted to another side (ENLARGING_SHIFT). */
function crop(source: Sharp, { image, region }: Frame, { kind }: Storage): void {
  const isPart = region.width < image.width || region.height < image.height;
  if (isPart || image.width * image.height <= MOST_TURNED_PIXELS) source.extract(region);
  else if (kind === 'plain') source.pipelineColourspace('srgb'); // which it has: the decoder does not shrink it either
}

/** Pixels of a whole image that is turned in memory, 192 MB of them; a larger one is turned after it is resized. */
const MOST_TURNED_PIXELS = 64_000_000;

const PLAIN: Storage = { kind: 'plain' };

/** How the files store their pixels, as far as their headers were read. */
const known = new Map<string, Storage>();

/** Reads a file whose storage is not known yet as a plain one while its header is read, since nearly every file is
 *  plain and both reads must be handed to the thread pool at once; if it is not, it is read again. */
async function readAsStored<Read>(from: ImageSource, read: (storage: Storage) => Promise<Read>): Promise<Read> {
  const stored = typeof from === 'string' ? known.get(from) : undefined;
  if (stored) return read(stored);
  const [pixels, { storage }] = await Promise.all([read(PLAIN), readImageHeader(from)]);
  return storage.kind === 'plain' ? pixels : read(storage);
}

/** Width and height of an image as stored upright, from its header. Throws E_IMAGE_MISSING or E_IMAGE_DECODE with the
 *  file. */
export async function readImageSize(file: string): Promise<Extent> {
  const { width, height } = await readImageHeader(file);
  return { width, height };
}

export interface ImageHeader extends Extent {
  /** The EXIF orientation: 1 leaves the image as it is, 5 to 8 swap its sides. */
  readonly orientation: number;
  readonly storage: Storage;
}

/** Width and height of an image as stored upright, its EXIF orientation, and how its pixels are stored. Throws as
 *  readImageSize does. */
export async function readImageHeader(from: ImageSource): Promise<ImageHeader> {
  if (typeof from !== 'string') return headerOf(from);
  const header = await knownHeader(from);
  known.set(from, header.storage);
  return header;
}

/** The header of a file as readImageHeader has it, without waiting if it is in the cache. */
export const knownHeader = (file: string): ImageHeader | Promise<ImageHeader> =>
  scanned(HEADERS, file, () => headerOf(file));

const HEADERS: Scan<ImageHeader> = {
  name: `headers-${sharp.versions.vips}`,
  isSound: (value): value is ImageHeader => {
    const { width, height, orientation, storage } = (value ?? {}) as Partial<ImageHeader>;
    return [width, height, orientation].every((side) => Number.isInteger(side) && side! > 0) && isStorage(storage);
  },
};

async function headerOf(from: ImageSource): Promise<ImageHeader> {
  try {
    const opened = isBitmap(from) ? await readBitmap(from) : from;
    const source = () => openSource(opened);
    const metadata = await source().metadata();
    const { autoOrient, orientation = 1 } = metadata;
    const storage = await storageOf(metadata, source);
    return { width: autoOrient.width, height: autoOrient.height, orientation, storage };
  } catch (error) {
    return fail(from, error);
  }
}

/** Throws the problem with its code. sharp's errors carry none, so this looks whether the file exists. */
async function fail(from: ImageSource, error: unknown): Promise<never> {
  const file = typeof from === 'string' ? from : undefined;
  const obstacle = file === undefined ? undefined : await obstacleTo(file);
  const there = obstacle === undefined || obstacle === DENIED;
  const reason = obstacle ?? (error instanceof Error ? error.message.trim().split('\n')[0]! : String(error));
  throw new FinetuneError(
    {
      code: there ? 'E_IMAGE_DECODE' : 'E_IMAGE_MISSING',
      message: there ? `the image cannot be decoded: ${reason}` : 'there is no such image',
      ...(file !== undefined && { where: { file } }),
      fix: 'replace or remove it, or set data.brokenImages: drop (the report counts them)',
    },
    { cause: error },
  );
}

const DENIED = 'you may not read this file';

/** Why a file cannot be opened, if that is so. */
const obstacleTo = (file: string): Promise<string | undefined> =>
  access(file, constants.R_OK).then(
    () => undefined,
    (error: unknown) => {
      const { code } = error as NodeJS.ErrnoException;
      return code === 'EACCES' || code === 'EPERM' ? DENIED : 'it is not there';
    },
  );
