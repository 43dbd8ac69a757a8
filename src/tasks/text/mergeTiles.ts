import { joinParts, type TilePart } from '../../geometry/joinParts.js';
import { minAreaRect } from '../../geometry/minAreaRect.js';
import { bounds, intersectionArea, polygonIou, region, type Region } from '../../geometry/polygon.js';
import { cutSidesOf, WHOLE, type Tile } from '../../geometry/tiles.js';
import type { TextDetection } from './findText.js';

/** The words that were found in a tile of an image. */
export interface TileWords {
  /** Undefined for the whole image. */
  readonly tile: Tile | undefined;
  readonly found: readonly TextDetection[];
}

type Part = TilePart & { readonly region: Region };

/** IoU above which two outlines are of one word that two tiles have found. */
const SAME_WORD = 0.3;

/** Makes one list of the words in the tiles of an image: a word that a seam cuts is made whole (joinParts), and of a
 *  word that several tiles have found the best outline is kept. */
export function mergeWords(
  parts: readonly TileWords[],
  image: { readonly width: number; readonly height: number },
): TextDetection[] {
  const all = parts.flatMap(({ tile, found }) =>
    found.map(({ outline, score }): Part => {
      const polygon = Float64Array.from(outline);
      const around = bounds(polygon);
      return {
        bounds: around,
        score,
        kind: 0,
        cut: tile ? cutSidesOf(around, tile, image) : WHOLE,
        region: region(polygon),
      };
    }),
  );
  const joined = joinParts(all, {
    covered: (part, whole) =>
      part.region.area > 0 ? intersectionArea(part.region, whole.region) / part.region.area : 0,
    join: (a, b, common) => {
      const around = minAreaRect([...a.region.polygon, ...b.region.polygon]);
      return { ...a, ...common, region: region(around) };
    },
  });
  const kept: Part[] = [];
  for (const part of joined.sort((a, b) => b.score - a.score))
    if (kept.every((other) => polygonIou(part.region, other.region) <= SAME_WORD)) kept.push(part);
  return kept.map(({ region: { polygon }, score }) => ({ outline: [...polygon], score }));
}
