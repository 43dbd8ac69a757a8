import { joinParts, type TilePart } from '../../geometry/joinParts.js';
import { cutSidesOf, WHOLE, type Tile } from '../../geometry/tiles.js';
import { xyxy } from '../../geometry/box.js';
import type { Detection } from './detector.js';
import { suppressPerClass } from './nms.js';
import type { SelectOptions } from './options.js';

/** What a detector found in a tile of an image, or in all of it. */
export interface TileDetections {
  /** Undefined for the whole image. */
  readonly tile: Tile | undefined;
  readonly found: readonly Detection[];
}

type Part = TilePart & { readonly detection: Detection };

/** Makes one list of the detections in the tiles of an image. Objects that a seam cuts are made whole (joinParts), and
 *  the detector's own non-maximum suppression drops what several tiles have found. Of the view of the whole image only
 *  objects count that no tile can show whole, because a tile sees the others better. `seen`: an object smaller than
 *  this, in pixels, is whole in some tile. */
export function mergeDetections(
  parts: readonly TileDetections[],
  image: { readonly width: number; readonly height: number },
  selection: Omit<SelectOptions, 'numClasses'>,
  seen: number,
): Detection[] {
  const all = parts.flatMap(({ tile, found }) =>
    found.flatMap((detection): Part[] => {
      const { box: bounds, score, classIndex: kind } = detection;
      const isLarge = Math.max(bounds[2] - bounds[0], bounds[3] - bounds[1]) > seen;
      if (!tile && !isLarge) return [];
      return [{ bounds, score, kind, detection, cut: tile ? cutSidesOf(bounds, tile, image) : WHOLE }];
    }),
  );
  const joined = joinParts(all, {
    covered: (part, whole) => shareWithin(part.bounds, whole.bounds),
    join: (a, _, common) => ({
      ...a,
      ...common,
      detection: { ...a.detection, box: common.bounds, score: common.score },
    }),
  });
  const candidates = joined.map(({ detection: { box, score, classIndex } }) => ({ box: xyxy(box), score, classIndex }));
  const { boxes, scores, classes } = suppressPerClass(candidates, selection);
  const imageId = all[0]?.detection.imageId ?? 0;
  return scores.map((score, i) => ({
    imageId,
    classIndex: classes[i]!,
    box: [...boxes.subarray(4 * i, 4 * i + 4)] as unknown as Detection['box'],
    score,
  }));
}

/** Share of the first box that lies in the second one. */
function shareWithin(a: TilePart['bounds'], b: TilePart['bounds']): number {
  const width = Math.min(a[2], b[2]) - Math.max(a[0], b[0]);
  const height = Math.min(a[3], b[3]) - Math.max(a[1], b[1]);
  const area = (a[2] - a[0]) * (a[3] - a[1]);
  return width > 0 && height > 0 && area > 0 ? (width * height) / area : 0;
}
