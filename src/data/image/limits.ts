import sharp from 'sharp';
import { FinetuneError } from '../../errors.js';
import type { Extent } from './frame.js';

/** First bytes of the kinds of images that strangers may send. SVG is not among them: it is a program for drawing, with
 *  references to files and entities that grow. */
const KINDS: readonly (readonly [start: number, bytes: readonly number[]])[] = [
  [0, [0xff, 0xd8, 0xff]], // JPEG
  [0, [0x89, 0x50, 0x4e, 0x47]], // PNG
  [0, [0x47, 0x49, 0x46, 0x38]], // GIF
  [8, [0x57, 0x45, 0x42, 0x50]], // WebP
  [0, [0x49, 0x49, 0x2a, 0x00]], // TIFF, little-endian
  [0, [0x4d, 0x4d, 0x00, 0x2a]], // TIFF, big-endian
  [4, [0x66, 0x74, 0x79, 0x70]], // AVIF
  [0, [0x42, 0x4d]], // BMP
];
const isBitmap = (bytes: Uint8Array): boolean => bytes[0] === 0x42 && bytes[1] === 0x4d;

/** Checks by their first bytes and their header that bytes of a stranger are an image with at most so many pixels, before
 *  anything is decoded. Throws E_IMAGE_DECODE, E_SERVE_PIXELS. */
export async function checkImageLimits(bytes: Uint8Array, mostPixels: number): Promise<void> {
  const isKnown = KINDS.some(([start, mark]) => mark.every((byte, i) => bytes[start + i] === byte));
  if (!isKnown) throw undecodable('it is no JPEG, PNG, WebP, GIF, TIFF, AVIF or BMP');
  const { width, height } = isBitmap(bytes) ? bitmapExtent(bytes) : await headerExtent(bytes);
  if (width * height <= mostPixels) return;
  const message = `the image has ${width} × ${height} pixels, and at most ${mostPixels} are allowed`;
  throw new FinetuneError({ code: 'E_SERVE_PIXELS', message, fix: 'send a smaller image' });
}

const undecodable = (why: string, cause?: unknown): FinetuneError =>
  new FinetuneError({ code: 'E_IMAGE_DECODE', message: `the image cannot be decoded: ${why}` }, { cause });

async function headerExtent(bytes: Uint8Array): Promise<Extent> {
  try {
    const { width, height } = await sharp(bytes, { limitInputPixels: false }).metadata();
    return { width, height };
  } catch (error) {
    throw undecodable(error instanceof Error ? error.message.trim().split('\n')[0]! : String(error), error);
  }
}

/** Length of the oldest header of bitmaps, whose sides have 16 bits. */
const CORE_HEADER = 12;

function bitmapExtent(bytes: Uint8Array): Extent {
  if (bytes.length < 26) throw undecodable('the bitmap is cut short');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(14, true) === CORE_HEADER)
    return { width: view.getUint16(18, true), height: view.getUint16(20, true) };
  return { width: Math.abs(view.getInt32(18, true)), height: Math.abs(view.getInt32(22, true)) };
}
