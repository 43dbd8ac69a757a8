import type { Extent } from './frame.js';

/** Windows bitmaps, which libvips cannot read: 1, 4 and 8 bits with a palette, and 16, 24 and 32 bits, uncompressed.
 *  https://learn.microsoft.com/windows/win32/gdi/bitmap-storage */
export interface Bitmap extends Extent {
  /** [height, width, 3]. */
  readonly data: Uint8Array;
}

/** Values of the header's field `compression`: none, and masks of the bits of each colour. */
const PLAIN = 0;
const BIT_FIELDS = 3;
/** Length of the oldest header that programs still write. */
const CORE_HEADER = 12;

/** Pixels of a bitmap at most: sharp's limit for the other kinds of files. */
const MOST_PIXELS = 0x3fff ** 2;

interface Header extends Extent {
  readonly isTopDown: boolean;
  readonly bits: number;
  /** Masks of red, green and blue in a pixel of 16 or 32 bits. */
  readonly masks: readonly number[];
  /** The colours, 3 or 4 bytes each, blue first. */
  readonly palette: Uint8Array;
  readonly paletteStep: 3 | 4;
  /** The rows, each padded to four bytes. */
  readonly rows: Uint8Array;
  readonly rowLength: number;
}

/** Decode a bitmap to 8-bit RGB; alpha is dropped. Throws an Error that says what is wrong. */
export function decodeBmp(bytes: Uint8Array): Bitmap {
  const header = readHeader(bytes);
  const { width, height, isTopDown, rows, rowLength } = header;
  const data = new Uint8Array(width * height * 3);
  const colourAt = pixelReader(header);
  for (let y = 0; y < height; y++) {
    const row = rows.subarray((isTopDown ? y : height - 1 - y) * rowLength);
    for (let x = 0; x < width; x++) colourAt(row, x, data, (y * width + x) * 3);
  }
  return { width, height, data };
}

function readHeader(bytes: Uint8Array): Header {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 30 || bytes[0] !== 0x42 || bytes[1] !== 0x4d) throw new Error('the file is no bitmap');
  const length = view.getUint32(14, true);
  const isCore = length === CORE_HEADER;
  if (!isCore && (length < 40 || bytes.length < 14 + length)) throw new Error('the header of the bitmap is damaged');
  const width = isCore ? view.getUint16(18, true) : view.getInt32(18, true);
  const high = isCore ? view.getUint16(20, true) : view.getInt32(22, true);
  const bits = view.getUint16(isCore ? 24 : 28, true);
  const compression = isCore ? PLAIN : view.getUint32(30, true);
  const height = Math.abs(high);
  if (![1, 4, 8, 16, 24, 32].includes(bits) || (compression !== PLAIN && compression !== BIT_FIELDS))
    throw new Error(`bitmaps of ${bits} bits with compression ${compression} are not supported`);
  const rowLength = Math.ceil((width * bits) / 32) * 4;
  const rows = bytes.subarray(view.getUint32(10, true));
  if (width < 1 || height < 1 || rows.length < rowLength * height) throw new Error('the bitmap is truncated');
  if (width * height > MOST_PIXELS)
    throw new Error(`the bitmap has ${width}x${height} pixels: more than ${MOST_PIXELS}`);
  const hasMasks = compression === BIT_FIELDS && bytes.length >= 66;
  const masks = hasMasks ? [54, 58, 62].map((at) => view.getUint32(at, true)) : DEFAULT_MASKS[bits === 16 ? 16 : 32];
  const palette = bytes.subarray(14 + length);
  return { width, height, isTopDown: high < 0, bits, masks, palette, paletteStep: isCore ? 3 : 4, rows, rowLength };
}

const DEFAULT_MASKS = { 16: [0x7c00, 0x3e0, 0x1f], 32: [0xff0000, 0xff00, 0xff] } as const;

type PixelReader = (row: Uint8Array, x: number, to: Uint8Array, at: number) => void;

function pixelReader({ bits, masks, palette, paletteStep }: Header): PixelReader {
  if (bits <= 8) {
    const perByte = 8 / bits;
    return (row, x, to, at) => {
      const shift = 8 - bits * ((x % perByte) + 1);
      const colour = ((row[Math.floor(x / perByte)]! >> shift) & ((1 << bits) - 1)) * paletteStep;
      for (let i = 0; i < 3; i++) to[at + i] = palette[colour + 2 - i] ?? 0;
    };
  }
  const bytesPerPixel = bits / 8;
  if (bits === 24)
    return (row, x, to, at) => {
      for (let i = 0; i < 3; i++) to[at + i] = row[x * 3 + 2 - i]!;
    };
  const scales = masks.map((mask) => ({ mask, low: Math.log2((mask & -mask) >>> 0 || 1) }));
  return (row, x, to, at) => {
    let pixel = 0;
    for (let i = bytesPerPixel - 1; i >= 0; i--) pixel = pixel * 256 + row[x * bytesPerPixel + i]!;
    scales.forEach(({ mask, low }, i) => {
      const most = mask >>> low;
      to[at + i] = most === 0 ? 0 : Math.floor((((pixel & mask) >>> low) * 255) / most);
    });
  };
}
