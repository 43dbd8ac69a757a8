/** The connected regions of a mask, numbered in the order in which a scan row by row meets them. */
export interface Components {
  /** [height, width]: 0 outside of regions, else the region's number, counted from 1. */
  readonly labels: Int32Array;
  readonly regions: readonly Region[];
}

interface Region {
  readonly area: number;
  /** First and last column and row, inclusive. */
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** Label the 4-connected regions of non-zero cells, mask [height, width]. */
export function connectedComponents(mask: Uint8Array, width: number, height: number): Components {
  const labels = new Int32Array(width * height);
  const stack = new Int32Array(width * height);
  const regions: Region[] = [];
  for (let start = 0; start < mask.length; start++) {
    if (mask[start] === 0 || labels[start] !== 0) continue;
    const label = regions.length + 1;
    let [area, left, right, top, bottom] = [0, width, 0, height, 0];
    let depth = 0;
    const reach = (cell: number): void => {
      if (mask[cell] === 0 || labels[cell] !== 0) return;
      labels[cell] = label;
      stack[depth++] = cell;
    };
    reach(start);
    while (depth > 0) {
      const cell = stack[--depth]!;
      const y = Math.floor(cell / width);
      const x = cell - y * width;
      area++;
      if (x < left) left = x;
      if (x > right) right = x;
      if (y < top) top = y;
      if (y > bottom) bottom = y;
      if (x > 0) reach(cell - 1);
      if (x + 1 < width) reach(cell + 1);
      if (y > 0) reach(cell - width);
      if (y + 1 < height) reach(cell + width);
    }
    regions.push({ area, left, top, right, bottom });
  }
  return { labels, regions };
}
