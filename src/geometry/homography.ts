/** The rows of a 3 × 3 matrix. It maps (x, y) to ((ax + by + c)/w, (dx + ey + f)/w) with w = gx + hy + i. */
export type Homography = readonly [
  a: number,
  b: number,
  c: number,
  d: number,
  e: number,
  f: number,
  g: number,
  h: number,
  i: number,
];

/** The homography that maps the unit square (0,0) (1,0) (1,1) (0,1) to the corners of a quad x1, y1, … y4. Heckbert
 *  1989, "Fundamentals of texture mapping and image warping", section 2.2.3. Undefined for a quad whose last three
 *  corners are on a line. */
export function squareToQuad(quad: ArrayLike<number>): Homography | undefined {
  const [x0, y0, x1, y1, x2, y2, x3, y3] = Array.from(quad) as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const [dx1, dx2, sx] = [x1 - x2, x3 - x2, x0 - x1 + x2 - x3];
  const [dy1, dy2, sy] = [y1 - y2, y3 - y2, y0 - y1 + y2 - y3];
  const crossed = dx1 * dy2 - dx2 * dy1;
  if (Math.abs(crossed) < 1e-9) return undefined;
  const g = (sx * dy2 - dx2 * sy) / crossed;
  const h = (dx1 * sy - sx * dy1) / crossed;
  return [x1 - x0 + g * x1, x3 - x0 + h * x3, x0, y1 - y0 + g * y1, y3 - y0 + h * y3, y0, g, h, 1];
}

/** The inverse homography, up to a factor: the adjugate. */
export function inverse([a, b, c, d, e, f, g, h, i]: Homography): Homography {
  return [
    e * i - f * h,
    c * h - b * i,
    b * f - c * e,
    f * g - d * i,
    a * i - c * g,
    c * d - a * f,
    d * h - e * g,
    b * g - a * h,
    a * e - b * d,
  ];
}

export function project([a, b, c, d, e, f, g, h, i]: Homography, x: number, y: number): [number, number] {
  const w = g * x + h * y + i;
  return [(a * x + b * y + c) / w, (d * x + e * y + f) / w];
}
