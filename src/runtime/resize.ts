import { enlarge } from './enlarge.js';
import { reduce } from './reduce.js';
import type { Method, Raster } from './sampling.js';

/** Resizes an image as libvips 8.18 does, which reads the images in training (sharp with the kernels `linear` and `cubic`): by its
 *  steps, and with its fixed-point arithmetic, so that the values are the same. Rows come before columns, and axes that become
 *  shorter before those that become longer. */
export function resizeImage(image: Raster, width: number, height: number, method: Method): Raster {
  const rows = reduce(image, 'rows', height, method);
  return enlarge(reduce(rows, 'columns', width, method), width, height, method);
}
