/** x1, y1, x2, y2, pixels of the drawing. */
export type Corners = readonly [number, number, number, number];

export interface Size {
  readonly width: number;
  readonly height: number;
}

export interface LabelPlacer {
  /** The first free place for a label of this size at a box, or undefined if there is none. The place is taken then. */
  place(box: Corners, label: Size): Corners | undefined;
}

/** Finds places for labels on a drawing, so that none covers another one or leaves the drawing. */
export function createLabelPlacer(drawing: Size): LabelPlacer {
  const taken: Corners[] = [];
  return {
    place(box, label) {
      const place = labelPlaces(box, label, drawing).find((one) => !taken.some((other) => overlap(one, other)));
      if (place) taken.push(place);
      return place;
    },
  };
}

const overlap = (a: Corners, b: Corners): boolean => a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3];

/** Possible places of a label, always within the drawing: above the box, inside at its top, below it, inside at its
 *  bottom; at the left edge of the box first, then at the right one. */
function labelPlaces([x1, y1, x2, y2]: Corners, { width, height }: Size, drawing: Size): Corners[] {
  const rows = [y1 - height, y1, y2, y2 - height].filter((y) => y >= 0 && y + height <= drawing.height);
  const columns = [x1 - 1, x2 + 1 - width].map((x) => Math.max(0, Math.min(x, drawing.width - width)));
  return columns.flatMap((x) => rows.map((y): Corners => [x, y, x + width, y + height]));
}
