import { frameImage, placementOf, type Rect } from '../data/image/frame.js';
import { meanColour } from '../data/image/meanColour.js';
import { pad } from '../data/image/pad.js';
import type { Origin } from '../tasks/network.js';
import type { RuntimeCard } from './card.js';
import { resizePicture, type Picture } from './transparency.js';

/** An image as the network reads it. */
export interface RuntimeView {
  /** [1, height, width, 3], RGB 0…255. */
  readonly pixels: Float32Array;
  readonly origin: Origin;
}

/** What decides how an image is read. */
interface Viewing {
  readonly input: Pick<RuntimeCard['input'], 'shape'> & {
    readonly resize: Omit<RuntimeCard['input']['resize'], 'antialias'>;
  };
}

/** Makes the network's input of an image, or of a part of it, as the card says; as readView of predict does. */
export function viewOf(image: Picture, { input }: Viewing, patch?: Rect): RuntimeView {
  const { mode, method, cropFraction, limits, fill } = input.resize;
  const [, height, width] = input.shape as [number, number, number, number];
  const frame = frameImage(image, {
    size: [height, width],
    resize: mode,
    limits,
    ...(cropFraction !== undefined && { cropFraction }),
    ...(patch && { patch }),
  });
  const { region, target } = frame;
  const inner = resizePicture(cut(image, region), target.width, target.height, method);
  const isWhole = target.width === width && target.height === height;
  const data = isWhole ? inner : pad(inner, frame, (fill ?? meanColour) as [number, number, number]);
  const origin = {
    imageId: 0,
    placement: placementOf(frame),
    originalWidth: image.width,
    originalHeight: image.height,
    picture: { width, height },
  };
  return { pixels: Float32Array.from(data), origin };
}

function cut(image: Picture, { left, top, width, height }: Rect): Picture {
  if (width === image.width && height === image.height) return image;
  const part = (data: Uint8Array): Uint8Array => {
    const values = new Uint8Array(width * height * 3);
    for (let y = 0; y < height; y++) {
      const from = ((top + y) * image.width + left) * 3;
      values.set(data.subarray(from, from + width * 3), y * width * 3);
    }
    return values;
  };
  return { data: part(image.data), width, height, ...(image.opacity && { opacity: part(image.opacity) }) };
}
