import { z } from 'zod';
import { LEAST_OVERLAP, LEAST_TILE, MOST_OVERLAP } from '../../geometry/tiles.js';

/** How large images are cut into tiles. */
export const tiling = z.strictObject({
  size: z
    .int()
    .min(LEAST_TILE)
    .max(65_536)
    .describe('Side of a tile, in pixels of the image. Lower it if objects are still small in the input.')
    .meta({ example: 640 }),
  overlap: z
    .number()
    .min(LEAST_OVERLAP)
    .max(MOST_OVERLAP)
    .default(0.2)
    .describe(
      'Share of a tile that the next one repeats. What is smaller than this is seen whole in some tile; raise it if objects are larger.',
    )
    .meta({ example: 0.3 }),
});
