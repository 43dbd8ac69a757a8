import type { Polygon } from './polygon.js';

/** The corners of the convex hull of points x1, y1, …: clockwise if y points down, no three on a line. Andrew 1979,
 *  monotone chain. */
export function convexHull(points: ArrayLike<number>): Polygon {
  const count = points.length / 2;
  const order = Array.from({ length: count }, (_, i) => i).sort(
    (i, j) => points[2 * i]! - points[2 * j]! || points[2 * i + 1]! - points[2 * j + 1]!,
  );
  const half = (rows: readonly number[]): number[] => {
    const chain: number[] = [];
    for (const i of rows) {
      const [x, y] = [points[2 * i]!, points[2 * i + 1]!];
      for (let n = chain.length; n >= 4; n = chain.length) {
        const [ax, ay, bx, by] = chain.slice(n - 4) as [number, number, number, number];
        if ((bx - ax) * (y - ay) - (by - ay) * (x - ax) > 0) break;
        chain.length = n - 2;
      }
      chain.push(x, y);
    }
    return chain;
  };
  const [upper, lower] = [half(order), half(order.reverse())];
  if (upper.length <= 2) return Float64Array.from(upper); // all points are equal
  return Float64Array.from([...upper.slice(0, -2), ...lower.slice(0, -2)]);
}

/** The rectangle of least area around points x1, y1, …: four corners, clockwise if y points down. One of its sides lies
 *  along a side of the hull (Freeman & Shapira 1975), so every side of the hull is tried. Points on a line give a
 *  rectangle without area. */
export function minAreaRect(points: ArrayLike<number>): Polygon {
  const hull = convexHull(points);
  const n = hull.length;
  if (n === 2) return Float64Array.of(hull[0]!, hull[1]!, hull[0]!, hull[1]!, hull[0]!, hull[1]!, hull[0]!, hull[1]!);
  let best = Infinity;
  let corners: Polygon = hull;
  for (let i = 0; i < n; i += 2) {
    const [ox, oy] = [hull[i]!, hull[i + 1]!];
    const [dx, dy] = [hull[(i + 2) % n]! - ox, hull[(i + 3) % n]! - oy];
    const length = Math.hypot(dx, dy);
    const [ux, uy] = [dx / length, dy / length];
    let [low, high, deep] = [0, 0, 0]; // extent along the side, and away from it
    for (let j = 0; j < n; j += 2) {
      const [px, py] = [hull[j]! - ox, hull[j + 1]! - oy];
      const along = px * ux + py * uy;
      low = Math.min(low, along);
      high = Math.max(high, along);
      deep = Math.max(deep, py * ux - px * uy);
    }
    const area = (high - low) * deep;
    if (area >= best) continue;
    best = area;
    const at = (along: number, away: number) => [ox + along * ux - away * uy, oy + along * uy + away * ux] as const;
    corners = Float64Array.of(...at(low, 0), ...at(high, 0), ...at(high, deep), ...at(low, deep));
  }
  return corners;
}
