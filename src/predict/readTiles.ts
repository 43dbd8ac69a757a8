import type { Extent } from '../data/image/frame.js';
import { readPart, type ImageSource, type Pixels } from '../data/image/image.js';
import { tilesOf, type Tile, type Tiling } from '../geometry/tiles.js';
import type { ModelDescription } from '../tasks/description/description.js';
import { inOrder } from './inOrder.js';
import { readView, type View } from './readImage.js';

/** A view of a tile, or of the whole image, whose origin is the whole image. */
export interface TileView {
  readonly tile: Tile | undefined;
  readonly view: View;
}

/** Pixels that are decoded at once: a larger image is read in bands of rows. */
const MOST_PIXELS = 2 ** 26;
/** Tiles that are resized while the network computes. */
const AHEAD = 4;

/** Reads an image tile by tile, and with `withWhole` as a whole first. Only a band of it is in memory at a time.
 *  Throws E_IMAGE_MISSING, E_IMAGE_DECODE. */
export async function* readTiles(
  source: ImageSource,
  image: Extent,
  description: ModelDescription,
  { tiling, withWhole }: { readonly tiling: Tiling; readonly withWhole: boolean },
): AsyncGenerator<TileView> {
  const bands = bandsOf(tilesOf(image, tiling), image);
  for (const [i, band] of bands.entries()) {
    // The whole image is read from its file as elsewhere, where decoding and shrinking are one step.
    if (i === 0 && withWhole) yield { tile: undefined, view: await readView(source, image, description) };
    const pixels = await readPart(source, { left: 0, top: band.top, width: image.width, height: band.height });
    yield* inOrder(band.tiles, (tile) => readTile(pixels, { tile, band, image, description }), AHEAD);
  }
}

/** Rows of an image, and the tiles within them. */
interface Band {
  readonly top: number;
  readonly height: number;
  readonly tiles: readonly Tile[];
}

function bandsOf(tiles: readonly Tile[], image: Extent): Band[] {
  const most = MOST_PIXELS / image.width;
  const bands: (Band & { tiles: Tile[]; height: number })[] = [];
  for (const tile of tiles) {
    const bottom = Math.min(image.height, tile.top + tile.height);
    const band = bands.at(-1);
    if (band && (band.tiles[0]!.top === tile.top || bottom - band.top <= most)) {
      band.tiles.push(tile);
      band.height = bottom - band.top;
    } else bands.push({ top: tile.top, height: bottom - tile.top, tiles: [tile] });
  }
  return bands;
}

async function readTile(
  pixels: Pixels,
  at: { tile: Tile; band: Band; image: Extent; description: ModelDescription },
): Promise<TileView> {
  const { tile, band, image, description } = at;
  const view = await readView(pixels, pixels, description, { ...tile, top: tile.top - band.top });
  const { placement } = view.origin;
  const origin = {
    ...view.origin,
    placement: { ...placement, offsetY: placement.offsetY - band.top * placement.scaleY },
    originalWidth: image.width,
    originalHeight: image.height,
  };
  return { tile, view: { ...view, origin } };
}
