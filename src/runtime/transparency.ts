import { resizeImage } from './resize.js';
import type { Method, Raster } from './sampling.js';

/** An image, and how opaque its pixels are unless all of them are: each value of `opacity` is that of its colour. */
export interface Picture extends Raster {
  readonly opacity?: Uint8Array;
}

/** Resizes an image as sharp does: colours are weighted by their opacity, and invisible pixels become black. As in libvips,
 *  values are computed in single precision and then rounded down. */
export function resizePicture(image: Picture, width: number, height: number, method: Method): Uint8Array {
  const { data, opacity } = image;
  if (!opacity) return resizeImage(image, width, height, method).data;
  if (width === image.width && height === image.height) return data.map((value, i) => (opacity[i] === 0 ? 0 : value));
  const weighted = data.map((value, i) => Math.fround(value * Math.fround(opacity[i]! / 255)));
  const resize = (values: Uint8Array) => resizeImage({ ...image, data: values }, width, height, method).data;
  const left = resize(opacity);
  return resize(weighted).map((value, i) =>
    left[i] === 0 ? 0 : Math.min(255, Math.fround(value * Math.fround(255 / left[i]!))),
  );
}
