/** A point; x points to the right, y down. */
export type Point = readonly [x: number, y: number];
/** A closed polygon; curves are sampled, so that the drawing, its box and its mask agree. */
export type Outline = readonly Point[];

/** An area of one colour. An object is a list of them, painted in order. */
export interface Shape {
  readonly outline: Outline;
  readonly fill: string;
}

export const polygon = (...points: Point[]): Outline => points;

export const rectangle = (x1: number, y1: number, x2: number, y2: number): Outline => [
  [x1, y1],
  [x2, y1],
  [x2, y2],
  [x1, y2],
];

/** Points of an ellipse from angle `start` to `end`, radians, clockwise on the picture (y points down). */
export const arc = (
  cx: number,
  cy: number,
  rx: number,
  ry: number,
  start = 0,
  end = 2 * Math.PI,
  points = 24,
): Outline =>
  Array.from({ length: points }, (_, i) => {
    const angle = start + ((end - start) * i) / (end - start >= 2 * Math.PI - 1e-9 ? points : points - 1);
    return [cx + rx * Math.cos(angle), cy + ry * Math.sin(angle)];
  });

/** A rectangle with round corners. */
export function roundedRectangle(x1: number, y1: number, x2: number, y2: number, radius: number): Outline {
  const quarter = Math.PI / 2;
  const corner = (cx: number, cy: number, start: number) => arc(cx, cy, radius, radius, start, start + quarter, 6);
  return [
    ...corner(x2 - radius, y2 - radius, 0),
    ...corner(x1 + radius, y2 - radius, quarter),
    ...corner(x1 + radius, y1 + radius, 2 * quarter),
    ...corner(x2 - radius, y1 + radius, 3 * quarter),
  ];
}

/** Points of a quadratic Bézier curve, without the last one, with which the next piece begins. */
export const curve = (from: Point, control: Point, to: Point, points = 10): Outline =>
  Array.from({ length: points }, (_, i) => {
    const t = i / points;
    const along = (a: number, b: number, c: number) => (1 - t) ** 2 * a + 2 * t * (1 - t) * b + t * t * c;
    return [along(from[0], control[0], to[0]), along(from[1], control[1], to[1])];
  });

/** Scales by `scaleX` and `scaleY`, then rotates by `angle` (radians), then shifts to `at`. */
export function transform(
  outline: Outline,
  { angle, scaleX, scaleY, at: [x, y] }: { angle: number; scaleX: number; scaleY: number; at: Point },
): Outline {
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  return outline.map(([px, py]) => {
    const [sx, sy] = [px * scaleX, py * scaleY];
    return [x + sx * cos - sy * sin, y + sx * sin + sy * cos];
  });
}

/** The smallest upright box around some outlines: x1, y1, x2, y2. */
export function bounds(outlines: readonly Outline[]): [number, number, number, number] {
  const box: [number, number, number, number] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const outline of outlines)
    for (const [x, y] of outline) {
      box[0] = Math.min(box[0], x);
      box[1] = Math.min(box[1], y);
      box[2] = Math.max(box[2], x);
      box[3] = Math.max(box[3], y);
    }
  return box;
}

/** Clips an outline to the image (Sutherland & Hodgman 1974); the result is empty if the outline lies outside. */
export function clipTo(outline: Outline, width: number, height: number): Outline {
  const sides: readonly [axis: 0 | 1, sign: 1 | -1, limit: number][] = [
    [0, 1, 0],
    [0, -1, -width],
    [1, 1, 0],
    [1, -1, -height],
  ];
  return sides.reduce<Outline>((points, [axis, sign, limit]) => {
    const depth = (point: Point) => sign * point[axis] - limit; // positive inside
    return points.flatMap((point, i) => {
      const before = points.at(i - 1)!;
      const [from, to] = [depth(before), depth(point)];
      const kept: Point[] = to >= 0 ? [point] : [];
      if (from >= 0 === to >= 0) return kept;
      const t = from / (from - to);
      return [[before[0] + t * (point[0] - before[0]), before[1] + t * (point[1] - before[1])], ...kept];
    });
  }, outline);
}

/** SVG path data, rounded to a tenth of a pixel. */
export const pathData = (outline: Outline): string =>
  `M${outline.map(([x, y]) => `${x.toFixed(1)} ${y.toFixed(1)}`).join('L')}Z`;
