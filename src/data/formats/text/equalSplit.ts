type Point = readonly [x: number, y: number];

/** Cuts a word's outline across its reading direction into `count` quads of equal width. The first half of a polygon's
 *  points must be its upper side in reading direction and the others the lower side back, as in Total-Text and CTW1500.
 *  Returns undefined for an odd number of points. */
export function equalSplit(outline: readonly number[], count: number): number[][] | undefined {
  if (outline.length === 8) return splitQuad(outline, count);
  if (outline.length % 4 !== 0) return undefined;
  const points = Array.from({ length: outline.length / 2 }, (_, i): Point => [outline[2 * i]!, outline[2 * i + 1]!]);
  const upper = alongLine(points.slice(0, points.length / 2));
  const lower = alongLine(points.slice(points.length / 2).reverse());
  return Array.from({ length: count }, (_, i) => {
    const [from, to] = [i / count, (i + 1) / count];
    return [...upper(from), ...upper(to), ...lower(to), ...lower(from)];
  });
}

/** The point of a line through points at a share of its length, 0…1. */
function alongLine(points: readonly Point[]): (share: number) => Point {
  const lengths = points.slice(1).map(([x, y], i) => Math.hypot(x - points[i]![0], y - points[i]![1]));
  const total = lengths.reduce((sum, length) => sum + length, 0);
  return (share) => {
    let left = share * total;
    let at = 0;
    while (at < lengths.length - 1 && left > lengths[at]!) left -= lengths[at++]!;
    const [[x1, y1], [x2, y2]] = [points[at]!, points[at + 1]!];
    const t = lengths[at]! > 0 ? Math.min(1, left / lengths[at]!) : 0;
    return [x1 + (x2 - x1) * t, y1 + (y2 - y1) * t];
  };
}

/** Cuts a quad across its reading direction into `count` quads of equal width; a quad much higher than wide is read
 *  downwards. */
function splitQuad(quad: readonly number[], count: number): number[][] {
  const [ax, ay, bx, by, cx, cy, dx, dy] = quad as [number, number, number, number, number, number, number, number];
  const [wide, high] = [Math.hypot(bx - ax, by - ay), Math.hypot(dx - ax, dy - ay)];
  const down = count > 1 && high > 1.5 * wide;
  const [px, py, qx, qy] = down ? [dx, dy, bx, by] : [bx, by, dx, dy]; // the long sides run from a to p and from q to c
  const at = (t: number): [number, number, number, number] => [
    ax + (px - ax) * t,
    ay + (py - ay) * t,
    qx + (cx - qx) * t,
    qy + (cy - qy) * t,
  ];
  return Array.from({ length: count }, (_, i) => {
    const [x1, y1, u1, v1] = at(i / count);
    const [x2, y2, u2, v2] = at((i + 1) / count);
    return down ? [x1, y1, u1, v1, u2, v2, x2, y2] : [x1, y1, x2, y2, u2, v2, u1, v1];
  });
}
