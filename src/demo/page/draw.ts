import { classColour, ink } from '../../draw/colours.js';
import { createLabelPlacer, type Corners, type Size } from '../../draw/labels.js';
import type { Found } from './model.js';

/** The place of the colour of words, a light blue, which is rare in photos of text: as on the pictures of predict. */
const WORDS = 5;

interface Shape {
  readonly outline: readonly (readonly [number, number])[];
  readonly colour: string;
  readonly label: string | undefined;
}

export interface DrawOptions {
  /** Size of the image, in whose pixels the predictions are. */
  readonly image: Size;
  /** Height of letters in pixels of the canvas. */
  readonly letter: number;
  readonly classIndexOf: (categoryId: number) => number;
}

/** Draws what was found over the whole canvas of the context: outlines with a dark edge, so that they show on any ground, and
 *  labels on plates, of which none covers another one. The best is drawn last, on top. */
export function drawFound(context: CanvasRenderingContext2D, found: Found, options: DrawOptions): void {
  const { letter, image } = options;
  const size = { width: context.canvas.width, height: context.canvas.height };
  const scale: Point = [size.width / image.width, size.height / image.height];
  const shapes = shapesOf(found, scale, options);
  const line = Math.max(2, letter / 6);
  context.lineJoin = 'round';
  for (const { outline, colour } of shapes.toReversed()) {
    const path = pathOf(outline.map((point) => within(point, size, line)));
    stroke(context, path, 'rgb(0 0 0 / 65%)', line * 2);
    stroke(context, path, colour, line);
  }
  context.font = `600 ${letter}px system-ui, sans-serif`;
  context.textBaseline = 'middle';
  const placer = createLabelPlacer(size);
  for (const { outline, colour, label } of shapes) {
    if (label === undefined) continue;
    const width = Math.min(size.width, context.measureText(label).width + letter * 0.7);
    const place = placer.place(boundsOf(outline), { width, height: letter * 1.45 });
    if (place) drawLabel(context, label, place, { colour, letter });
  }
}

type Point = readonly [number, number];

function shapesOf(found: Found, [scaleX, scaleY]: Point, { classIndexOf }: DrawOptions): Shape[] {
  const scaled = ([x, y]: Point): Point => [x * scaleX, y * scaleY];
  switch (found.task) {
    case 'classification':
      return []; // its bars stand in the list
    case 'text':
      return found.list.map(({ polygon }) => ({
        outline: polygon.map(([x, y]) => scaled([x, y])),
        colour: classColour(WORDS),
        label: undefined,
      }));
    case 'detection':
      return found.list.map(({ category, categoryId, score, box: [x, y, width, height] }) => ({
        outline: [scaled([x, y]), scaled([x + width, y]), scaled([x + width, y + height]), scaled([x, y + height])],
        colour: classColour(classIndexOf(categoryId)),
        label: `${category} ${score.toFixed(2)}`,
      }));
  }
}

/** The point, moved into the drawing as far as the line needs to be seen whole. */
const within = ([x, y]: Point, { width, height }: Size, line: number): Point => [
  Math.max(line, Math.min(x, width - line)),
  Math.max(line, Math.min(y, height - line)),
];

function pathOf(outline: readonly Point[]): Path2D {
  const path = new Path2D();
  for (const [x, y] of outline) path.lineTo(x, y);
  path.closePath();
  return path;
}

function stroke(context: CanvasRenderingContext2D, path: Path2D, colour: string, width: number): void {
  context.strokeStyle = colour;
  context.lineWidth = width;
  context.stroke(path);
}

function boundsOf(outline: readonly Point[]): Corners {
  const [xs, ys] = [outline.map(([x]) => x), outline.map(([, y]) => y)];
  return [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
}

function drawLabel(
  context: CanvasRenderingContext2D,
  label: string,
  [left, top, right, bottom]: Corners,
  { colour, letter }: { readonly colour: string; readonly letter: number },
): void {
  context.fillStyle = colour;
  context.strokeStyle = 'rgb(0 0 0 / 50%)';
  context.lineWidth = 1;
  context.fillRect(left, top, right - left, bottom - top);
  context.strokeRect(left, top, right - left, bottom - top);
  context.fillStyle = ink(colour);
  context.fillText(label, left + letter * 0.35, (top + bottom) / 2 + letter * 0.05, right - left - letter * 0.5);
}
