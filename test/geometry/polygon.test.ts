import { describe, expect, test } from '@jest/globals';
import * as fc from '../fastCheck.js';
import { bounds, intersectionArea, polygonIou, rectangle, region, type Polygon } from '../../src/geometry/polygon.js';

const polygon = (...corners: readonly number[]): Polygon => Float64Array.from(corners);
const bowTie = polygon(0, 0, 10, 10, 10, 0, 0, 10);

describe('areas', () => {
  test('of either orientation, concave, crossing and degenerate polygons', () => {
    expect(region(rectangle(0, 0, 4, 3)).area).toBe(12);
    expect(region(polygon(0, 0, 0, 3, 4, 3, 4, 0)).area).toBe(12);
    expect(region(polygon(0, 0, 10, 0, 10, 10, 5, 2, 0, 10)).area).toBeCloseTo(60, 12);
    expect(region(bowTie).area).toBeCloseTo(50, 12); // two triangles of 25; the shoelace formula says 0
    expect(region(polygon(0, 0, 5, 0, 10, 0, 0, 0)).area).toBe(0);
    expect(region(polygon(3, 3, 3, 3, 3, 3, 3, 3)).area).toBe(0);
  });

  test('a pentagram is not taken for convex', () => {
    const corners = Array.from({ length: 5 }, (_, i) => (i * 4 * Math.PI) / 5).flatMap((a) => [
      Math.cos(a),
      Math.sin(a),
    ]);
    expect(region(polygon(...corners)).convex).toBeUndefined();
    expect(region(polygon(...corners)).area).toBeCloseTo(1.1225699, 6); // the area of the star, its middle included
  });

  test('a repeated corner does not hide that the polygon turns in there', () => {
    const dart = region(polygon(0, 0, 10, 0, 10, 10, 5, 2, 5, 2, 0, 10));
    expect(dart.convex).toBeUndefined();
    expect(polygonIou(dart, dart)).toBeCloseTo(1, 12);
  });

  test('shared by polygons that touch themselves or each other', () => {
    expect(intersectionArea(region(bowTie), region(rectangle(0, 0, 5, 10)))).toBeCloseTo(25, 12);
    expect(intersectionArea(region(rectangle(0, 0, 5, 5)), region(rectangle(5, 0, 9, 5)))).toBe(0);
    const notched = polygon(0, 0, 10, 0, 10, 10, 5, 0, 0, 10); // touches its own top edge
    expect(region(notched).area).toBeCloseTo(50, 12);
    expect(polygonIou(region(notched), region(notched))).toBeCloseTo(1, 12);
  });
});

const corner = fc.integer({ min: 0, max: 40 });
const quads = fc.array(corner, { minLength: 8, maxLength: 8 }).map((corners) => polygon(...corners));
const shapes = fc
  .integer({ min: 3, max: 9 })
  .chain((n) => fc.array(corner, { minLength: 2 * n, maxLength: 2 * n }))
  .map((corners) => polygon(...corners));

/** Area by counting a fine grid's points, with the winding number. */
function countedArea(...polygons: readonly Polygon[]): number {
  const step = 0.5;
  let count = 0;
  for (let y = 0.261; y < 40; y += step)
    for (let x = 0.237; x < 40; x += step) if (polygons.every((p) => winding(p, x, y) !== 0)) count++;
  return count * step * step;
}

function winding(p: Polygon, x: number, y: number): number {
  let turns = 0;
  for (let i = 0; i < p.length; i += 2) {
    const [x1, y1, x2, y2] = [p[i]!, p[i + 1]!, p[(i + 2) % p.length]!, p[(i + 3) % p.length]!];
    if (y1 <= y === y2 <= y) continue;
    const at = x1 + ((y - y1) / (y2 - y1)) * (x2 - x1);
    if (at > x) turns += y2 > y1 ? 1 : -1;
  }
  return turns;
}

describe('any polygon', () => {
  const roughly = (exact: number, counted: number) => expect(Math.abs(exact - counted)).toBeLessThan(12 + 0.03 * exact);

  test('has the area that counting points gives', () => {
    fc.assert(
      fc.property(shapes, shapes, (a, b) => {
        roughly(region(a).area, countedArea(a));
        roughly(intersectionArea(region(a), region(b)), countedArea(a, b));
      }),
      { numRuns: 100 },
    );
  });

  test('shares as much with another as the other with it, at most all of it; the orientation does not matter', () => {
    const reversed = (p: Polygon) => p.map((_, i) => p[p.length - 2 - (i & ~1) + (i & 1)]!);
    fc.assert(
      fc.property(fc.oneof(quads, shapes), fc.oneof(quads, shapes), (a, b) => {
        const [p, q] = [region(a), region(b)];
        const shared = intersectionArea(p, q);
        expect(shared).toBeCloseTo(intersectionArea(q, p), 6);
        expect(shared).toBeCloseTo(intersectionArea(region(reversed(a)), q), 6);
        expect(shared).toBeGreaterThanOrEqual(0);
        expect(shared).toBeLessThanOrEqual(Math.min(p.area, q.area) + 1e-6);
        expect(polygonIou(p, p)).toBeCloseTo(p.area > 0 ? 1 : 0, 9);
        expect(bounds(a).every(Number.isFinite)).toBe(true);
      }),
      { numRuns: 400 },
    );
  });
});
