import { meanColour } from '../data/image/meanColour.js';
import { readPixels, type RuntimeImage } from '../runtime/image.js';
import { viewOf } from '../runtime/view.js';
import type { Model } from '../tasks/model.js';

/** The pixels that the network reads of an image, as the runtime makes them. */
export async function viewPixels(image: RuntimeImage, { description, size }: Model): Promise<Float32Array> {
  const { resize, interpolation, cropFraction, limits } = description.images;
  const input = {
    shape: [1, ...size, 3],
    resize: { mode: resize, method: interpolation, cropFraction, limits, fill: meanColour },
  };
  return viewOf(await readPixels(image), { input }).pixels;
}

/** The image, seen in a mirror. */
export function mirrored(pixels: Float32Array, width: number): Float32Array {
  const out = new Float32Array(pixels.length);
  const row = width * 3;
  for (let i = 0; i < pixels.length; i += 3) {
    const from = i - (i % row) + row - 3 - (i % row);
    for (let channel = 0; channel < 3; channel++) out[i + channel] = pixels[from + channel]!;
  }
  return out;
}
