import type { Metadata, Sharp } from 'sharp';

/** How an image file stores its pixels. `plain`: 8-bit grey, RGB or palette, which sharp makes RGB by itself. `deep`: 16
 *  bits, of which the pixels use the lowest `bits`. */
export type Storage =
  { readonly kind: 'plain' } | { readonly kind: 'cmyk' } | { readonly kind: 'deep'; readonly bits: number };

/** Whether a value from the cache is one. */
export function isStorage(value: unknown): value is Storage {
  const { kind, bits } = (value ?? {}) as { readonly kind?: unknown; readonly bits?: unknown };
  return kind === 'plain' || kind === 'cmyk' || (kind === 'deep' && DEPTHS.concat(16).includes(Number(bits)));
}

const PLAIN: Storage = { kind: 'plain' };

/** Bits per channel of cameras and scanners. Their values are often stored in 16 bits as they are. */
const DEPTHS = [8, 10, 12, 14];

/** How a file with these metadata stores its pixels; all pixels of a 16-bit image are read for it. `source` opens the
 *  file. Throws if they are no whole numbers of 8 or 16 bits. */
export async function storageOf({ space, depth, hasAlpha }: Metadata, source: () => Sharp): Promise<Storage> {
  if (space === 'cmyk') return { kind: 'cmyk' };
  if (depth === 'uchar') return PLAIN;
  if (depth !== 'ushort') throw new Error(`its pixels are stored as "${depth}"; save it with 8 or 16 bits per channel`);
  const { channels } = await source().stats();
  const colours = hasAlpha ? channels.slice(0, -1) : channels;
  const most = Math.max(...colours.map(({ max }) => max));
  return { kind: 'deep', bits: DEPTHS.find((bits) => most < 2 ** bits) ?? 16 };
}

/** Reads the pixels of a pipeline as 8-bit RGB, row by row; invisible ones are black. */
export async function readRgb(pipeline: Sharp, storage: Storage): Promise<Uint8Array> {
  const { data, channels } = await readStored(pipeline, storage);
  return channels === 4 ? withoutAlpha(data) : data;
}

/** Pixels with 8 bits for each of three channels, or four if some may be transparent. */
export interface Stored {
  readonly data: Uint8Array;
  readonly channels: 3 | 4;
}

/** Reads the pixels of a pipeline as 8-bit RGB, or RGBA. */
export async function readStored(pipeline: Sharp, storage: Storage): Promise<Stored> {
  if (storage.kind === 'cmyk') {
    const ink = await pipeline.pipelineColourspace('cmyk').toColourspace('cmyk').raw().toBuffer();
    return { data: rgbOfInk(ink), channels: 3 };
  }
  const isDeep = storage.kind === 'deep';
  const raw = isDeep ? pipeline.toColourspace('rgb16').raw({ depth: 'ushort' }) : pipeline.toColourspace('srgb').raw();
  const { data, info } = await raw.toBuffer({ resolveWithObject: true });
  const { buffer, byteOffset, byteLength } = data;
  const channels = info.channels as 3 | 4;
  if (!isDeep) return { data: new Uint8Array(buffer, byteOffset, byteLength), channels };
  const shift = storage.bits - 8;
  const words = new Uint16Array(buffer, byteOffset, byteLength / 2);
  return { data: Uint8Array.from(words, (value, i) => value >> (i % channels === 3 ? 8 : shift)), channels };
}

/** Colours of invisible pixels are whatever a program left there; resizing, which counts colours by their opacity, makes
 *  them black, and so does this. */
function withoutAlpha(rgba: Uint8Array): Uint8Array {
  const rgb = new Uint8Array((rgba.length / 4) * 3);
  for (let from = 0, to = 0; from < rgba.length; from += 4, to += 3)
    if (rgba[from + 3] !== 0) for (let i = 0; i < 3; i++) rgb[to + i] = rgba[from + i]!;
  return rgb;
}

/** Mixes cyan, magenta, yellow and black as PIL does (Convert.c, cmyk2rgb), without a colour profile. */
function rgbOfInk(ink: Uint8Array): Uint8Array {
  const rgb = new Uint8Array((ink.length / 4) * 3);
  for (let from = 0, to = 0; from < ink.length; from += 4, to += 3) {
    const light = 255 - ink[from + 3]!;
    for (let i = 0; i < 3; i++) rgb[to + i] = light - Math.round((ink[from + i]! * light) / 255);
  }
  return rgb;
}
