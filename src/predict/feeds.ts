import type { View } from './readImage.js';

/** Inputs of the network. */
export interface Feeds {
  /** Works with the pixels of views of one size: [batch, height, width, 3], RGB 0…255; places without a view are 0. The
   *  array is used again afterwards. */
  using<T>(views: readonly View[], batch: number, work: (pixels: Float32Array) => Promise<T>): Promise<T>;
}

/** Arrays that are kept, besides those in use. */
const MOST_KEPT = 4;

/** Makes inputs, and uses their memory again: megabytes that are thrown away with each image keep the garbage collector
 *  busy. */
export function createFeeds(): Feeds {
  const kept: Float32Array[] = [];
  const take = (length: number): Float32Array => {
    const at = kept.findIndex((array) => array.length === length);
    return at < 0 ? new Float32Array(length) : kept.splice(at, 1)[0]!;
  };
  return {
    async using(views, batch, work) {
      const { length } = views[0]!.pixels;
      const array = take(batch * length);
      for (const [i, { pixels }] of views.entries()) array.set(pixels, i * length);
      array.fill(0, views.length * length);
      const result = await work(array);
      kept.push(array);
      if (kept.length > MOST_KEPT) kept.shift();
      return result;
    },
  };
}
