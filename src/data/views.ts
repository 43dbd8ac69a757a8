import { rowOf, xyxy } from '../geometry/box.js';
import { tilesOf, type Tile, type Tiling } from '../geometry/tiles.js';
import type { BoxAnnotation, Dataset } from './sample.js';

/** Least share of an object's area that a tile must show for the object to be learned there. One that is visible by less
 *  is ignored: it is neither an object to find nor background. */
const VISIBLE = 0.4;

/** The images of a part as the network sees them: of each image that is larger than a tile, all tiles, row after row,
 *  and then the whole image, whose large objects no tile shows. A smaller image is its only view. Without `tiles`, and
 *  for images that are no boxes, the part is returned as it is. `imageId` and the ground truth of `toCoco` stay those of
 *  the whole images. */
export function viewsOf(dataset: Dataset, tiles: Tiling | undefined): Dataset {
  if (!tiles) return dataset;
  const views = dataset.annotations.map((annotation) =>
    annotation.kind === 'boxes' ? viewsOfImage(annotation, tiles) : [annotation],
  );
  const { repeat, old } = dataset;
  const from = views.slice(0, old?.from).reduce((sum, { length }) => sum + length, 0);
  return {
    ...dataset,
    annotations: views.flat(),
    repeat: repeat && Float64Array.from(views.flatMap((same, i) => same.map(() => repeat[i]!))),
    ...(old && { old: { ...old, from } }),
  };
}

function viewsOfImage(annotation: BoxAnnotation, tiles: Tiling): BoxAnnotation[] {
  if (Math.max(annotation.width, annotation.height) <= tiles.size) return [annotation];
  return [...tilesOf(annotation, tiles).map((tile) => viewOf(annotation, tile)), annotation];
}

/** What a tile shows of the objects of an image. */
function viewOf(annotation: BoxAnnotation, view: Tile): BoxAnnotation {
  const boxes: number[] = [];
  const rows: { readonly row: number; readonly isHidden: boolean }[] = [];
  for (const row of annotation.classes.keys()) {
    const [x1, y1, x2, y2] = rowOf(annotation.boxes, row);
    const [left, right] = [Math.max(x1, view.left), Math.min(x2, view.left + view.width)];
    const [top, bottom] = [Math.max(y1, view.top), Math.min(y2, view.top + view.height)];
    if (right <= left || bottom <= top) continue;
    boxes.push(left, top, right, bottom);
    const share = ((right - left) * (bottom - top)) / ((x2 - x1) * (y2 - y1));
    rows.push({ row, isHidden: share < VISIBLE });
  }
  return {
    ...annotation,
    view,
    boxes: xyxy(boxes),
    classes: rows.map(({ row }) => annotation.classes[row]!),
    ignore: rows.map(({ row, isHidden }) => isHidden || annotation.ignore[row]!),
  };
}
