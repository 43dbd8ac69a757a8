import { FinetuneError } from '../errors.js';

/** Pixels may lie a little outside of 0…255, as after a resize with Lanczos. */
const [LEAST, MOST] = [-255, 510];

/** Checks the pixels of a batch, [N, height, width, 3], and returns them with N. Throws E_FEED with what is wrong. */
export function checkPixels(
  images: unknown,
  [height, width]: readonly [number, number],
): { readonly pixels: Float32Array | Uint8Array | Uint8ClampedArray; readonly batch: number } {
  const wanted = `images: predict wants a Uint8Array or Float32Array [N, ${height}, ${width}, 3] of RGB values in 0…255`;
  if (!(images instanceof Float32Array || images instanceof Uint8Array || images instanceof Uint8ClampedArray)) {
    throw feed(`${wanted}; got ${nameOf(images)}`);
  }
  const batch = images.length / (height * width * 3);
  if (!Number.isInteger(batch) || batch === 0) throw feed(`${wanted}; got ${images.length} values`);
  if (images instanceof Float32Array) {
    const wrong = images.findIndex((value) => !(value >= LEAST && value <= MOST));
    if (wrong >= 0) throw feed(`${wanted}; value ${wrong} is ${images[wrong]!}`);
  }
  return { pixels: images, batch };
}

const feed = (message: string): FinetuneError => new FinetuneError({ code: 'E_FEED', message });

function nameOf(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value).slice(0, 20);
  const { name } = (Object.getPrototypeOf(value) as { constructor?: { name?: unknown } } | null)?.constructor ?? {};
  return typeof name === 'string' ? `a value of type ${name}` : 'an object';
}
