/** Whether two sides of a polygon cross that have no corner in common: its corners x1, y1, x2, y2, … are then not in the
 *  order of its outline. */
export function crossesItself(points: ArrayLike<number>): boolean {
  const n = points.length / 2;
  const turn = (a: number, b: number, c: number): number =>
    (points[2 * b]! - points[2 * a]!) * (points[2 * c + 1]! - points[2 * a + 1]!) -
    (points[2 * b + 1]! - points[2 * a + 1]!) * (points[2 * c]! - points[2 * a]!);
  const meet = (a: number, b: number, c: number, d: number): boolean =>
    turn(a, b, c) * turn(a, b, d) < 0 && turn(c, d, a) * turn(c, d, b) < 0;
  for (let i = 0; i < n; i++)
    for (let j = i + 2; j < n; j++) if ((j + 1) % n !== i && meet(i, i + 1, j, (j + 1) % n)) return true;
  return false;
}
