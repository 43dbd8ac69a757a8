import { expect, test } from '@jest/globals';
import { createLabelPlacer, type Corners } from '../../src/draw/labels.js';
import { createLettering, fitText, type LetterFont } from '../../src/draw/lettering.js';
import { drawBars, drawShapes } from '../../src/draw/overlay.js';
import * as fc from '../fastCheck.js';

/** A font with small Latin letters, digits, the point and the space: squares, half an em wide. */
const font: LetterFont = {
  glyph: (character) =>
    /[a-z0-9. %…]/.test(character) ? { advance: 0.5, contours: [Float32Array.of(0, 0, 0.4, 0, 0.4, -0.7)] } : undefined,
};

const numberOf = (svg: string, name: string): number => Number(new RegExp(` ${name}="([^"]+)"`).exec(svg)![1]);

test('labels stay within the drawing and cover no other label', () => {
  const drawing = { width: 200, height: 120 };
  const side = (most: number) => fc.integer({ min: 0, max: most });
  const label = fc.record({ x: side(180), y: side(110), w: side(60), h: side(60), width: side(200), height: side(30) });
  fc.assert(
    fc.property(fc.array(label, { maxLength: 30 }), (labels) => {
      const placer = createLabelPlacer(drawing);
      const places = labels.flatMap(({ x, y, w, h, width, height }) => {
        return placer.place([x, y, x + w, y + h], { width, height }) ?? [];
      });
      for (let i = 0; i < places.length; i += 4) {
        const [x1, y1, x2, y2] = places.slice(i, i + 4) as unknown as Corners;
        expect(x1 >= 0 && y1 >= 0 && x2 <= drawing.width && y2 <= drawing.height).toBe(true);
        for (let j = 0; j < i; j += 4) {
          const other = places.slice(j, j + 4) as unknown as Corners;
          expect(x1 < other[2] && other[0] < x2 && y1 < other[3] && other[1] < y2).toBe(false);
        }
      }
    }),
  );
});

test('a shape is drawn in the colour of its class, with a dark edge and its label on a plate', () => {
  const outline = [[10, 40] as const, [60, 40] as const, [60, 90] as const, [10, 90] as const];
  const svg = drawShapes(
    [{ outline, classIndex: 1, label: { name: 'cat', score: '0.9' } }],
    { width: 300, height: 200 },
    [font],
  );
  expect(svg).toContain('stroke="#3cb44b"');
  expect(svg).toContain('stroke="#000"');
  const plate = /<rect[^>]*>/.exec(svg)![0];
  expect(numberOf(plate, 'x')).toBeCloseTo(9, 1);
  expect(numberOf(plate, 'y') + numberOf(plate, 'height')).toBeCloseTo(40, 0);
  expect(svg.match(/<path id=/g)).toHaveLength(new Set('cat 0.9').size);
});

test('a long name is cut, and its score stays', () => {
  const outline = [[10, 40] as const, [60, 90] as const];
  const label = { name: 'a'.repeat(500), score: '0.9' };
  const svg = drawShapes([{ outline, classIndex: 1, label }], { width: 900, height: 200 }, [font]);
  expect(numberOf(/<rect[^>]*>/.exec(svg)![0], 'width')).toBeLessThan(300);
  const shapes = [...svg.matchAll(/<path id="(\w+)"/g)].length;
  expect(shapes).toBe(new Set('a… 0.9').size);
});

test('letters grow with the drawing, and an outline beyond it is moved to its edge', () => {
  const outline = [[-50, -50] as const, [9000, -50] as const, [9000, 9000] as const, [-50, 9000] as const];
  const plates = [400, 3000].map((side) => {
    const svg = drawShapes(
      [{ outline, classIndex: 0, label: { name: 'a', score: '1' } }],
      { width: side, height: side },
      [font],
    );
    const drawn = svg.slice(svg.indexOf('</defs>'));
    for (const [, x, y] of drawn.matchAll(/[ML](-?[\d.]+) (-?[\d.]+)/g))
      expect(Math.min(Number(x), Number(y), side - Number(x), side - Number(y))).toBeGreaterThanOrEqual(0);
    return numberOf(/<rect[^>]*>/.exec(svg)![0], 'height');
  });
  expect(plates[1]).toBeGreaterThan(2 * plates[0]!);
});

test('a text that no font has is left to the fonts of the system, without breaking the SVG', () => {
  const lettering = createLettering([font]);
  const svg = lettering.write('<犬> & "\u0007', { x: 0, y: 0, size: 10, fill: '#fff' });
  expect(svg).toContain('>&lt;犬&gt; &amp; "\ufffd</text>');
});

test('a text that is too wide is cut, and ends in an ellipsis', () => {
  const lettering = createLettering([font]);
  expect(fitText('abc', 1.5, lettering)).toBe('abc');
  expect(fitText('abcdefgh', 2, lettering)).toBe('abc…');
});

test.each([
  [300, 200],
  [40, 30],
])('bars of classes stay within a drawing of %i × %i', (width, height) => {
  const classes = ['cat', 'a very long name of a class', 'c', 'd', 'e'].map((name, classIndex) => {
    return { name, classIndex, probability: 1 - classIndex / 5 };
  });
  const svg = drawBars(classes, { width, height }, [font]);
  for (const [rect] of svg.matchAll(/<rect[^>]*>/g)) {
    expect(numberOf(rect, 'y')).toBeGreaterThanOrEqual(0);
    expect(numberOf(rect, 'y') + numberOf(rect, 'height')).toBeLessThanOrEqual(height + 0.1);
  }
});
