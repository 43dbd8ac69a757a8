import type { Extent } from '../data/image/frame.js';
import type { ImageSource } from '../data/image/image.js';
import { FinetuneError } from '../errors.js';
import type { ModelDescription } from '../tasks/description/description.js';
import type { View } from './readImage.js';

/** An image that is read, or one that is to be read tile by tile. */
export type Prepared = Extent & ({ readonly view: View } | { readonly source: ImageSource });
export type Tiled = Extract<Prepared, { readonly source: ImageSource }>;

/** Images that are run at once: all of one size, or one that is read tile by tile. Those that could not be read stand
 *  among them. */
export type Group = readonly (Prepared | FinetuneError)[];

/** Most images, and most pixels, that are computed at once: beyond these an image takes no less time, and the memory
 *  grows. */
const [MOST_IMAGES, MOST_PIXELS] = [8, 1_000_000];

/** Number of images to compute at once if there are so many in all. A few are run one by one, since a session for many
 *  has to be opened first. */
export function mostAtOnce(description: ModelDescription, total: number | undefined): number {
  const one = description.task === 'text' ? description.evaluateSize : description.size;
  const areas = (description.sizes ?? [one]).map(([height, width]) => height * width);
  const batch = Math.max(1, Math.min(MOST_IMAGES, Math.floor(MOST_PIXELS / Math.max(...areas))));
  return total !== undefined && total >= 2 * batch ? batch : 1;
}

/** Collects images into groups with at most `batch` that were read, in their order. */
export async function* inGroups(
  images: AsyncIterable<Prepared | FinetuneError>,
  batch: number,
): AsyncGenerator<Group, void, undefined> {
  let group: (Prepared | FinetuneError)[] = [];
  let views: View[] = [];
  function* close(): Generator<Group> {
    if (group.length > 0) yield group;
    [group, views] = [[], []];
  }
  for await (const image of images) {
    const view = 'view' in image ? image.view : undefined;
    const isTiled = 'source' in image;
    if (isTiled || (view && views[0] && view.size.join() !== views[0].size.join())) yield* close();
    group.push(image);
    if (view) views.push(view);
    if (isTiled || batch === 1 || views.length === batch) yield* close();
  }
  yield* close();
}
