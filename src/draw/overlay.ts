import { classColour, ink } from './colours.js';
import { createLabelPlacer, type Corners, type Size } from './labels.js';
import { createLettering, fitText, type LetterFont, type Lettering } from './lettering.js';

/** A shape to draw around what was found. */
export interface DrawnShape {
  /** Corners in pixels of the drawing. */
  readonly outline: readonly (readonly [number, number])[];
  readonly classIndex: number;
  /** Name of the class and score for the label; left out: no label. */
  readonly label?: { readonly name: string; readonly score: string };
}

/** A class and how probable it is. */
export interface DrawnClass {
  readonly name: string;
  readonly probability: number;
  readonly classIndex: number;
}

/** Size of letters for a drawing, in pixels: 13 on a small one, 40 on the largest. A large drawing is looked at from
 *  further away, but not as far as it is larger. */
export const letterSize = ({ width, height }: Size): number =>
  Math.round(13 * Math.max(1, Math.max(width, height) / 640) ** 0.6);

/** Width in ems of a label that is wider than its box: a longer name is cut, so that it does not hide what is beside. */
const MOST_LABEL = 16;

/** An SVG to lay over an image of this size: outlines in the colours of their classes with a dark edge, so that they
 *  show on any ground, and labels on plates. The first shape is the best: its label gets the best place, and lies on
 *  top. A label for which there is no free place is left out. */
export function drawShapes(shapes: readonly DrawnShape[], size: Size, fonts: readonly LetterFont[]): string {
  const lettering = createLettering(fonts);
  const letter = letterSize(size);
  const line = Math.max(2, letter / 7);
  const inside = shapes.map((shape) => ({
    ...shape,
    outline: shape.outline.map((point) => within(point, size, line)),
  }));
  const outlines = inside.map(({ outline, classIndex }) => {
    const path = `d="M${outline.map(([x, y]) => `${x.toFixed(1)} ${y.toFixed(1)}`).join('L')}Z"`;
    const dark = `<path ${path} stroke="#000" stroke-opacity="0.65" stroke-width="${(line * 2).toFixed(1)}"/>`;
    return `${dark}<path ${path} stroke="${classColour(classIndex)}" stroke-width="${line.toFixed(1)}"/>`;
  });
  const placer = createLabelPlacer(size);
  const labels = inside.map(({ outline, classIndex, label }) => {
    if (label === undefined) return '';
    const padding = letter * 0.3;
    const box = boundsOf(outline);
    const most = Math.min(size.width - 2 * padding, Math.max(box[2] - box[0], MOST_LABEL * letter)) / letter;
    const score = ` ${label.score}`;
    const text = fitText(label.name, most - lettering.width(score), lettering) + score;
    const extent = { width: lettering.width(text) * letter + 2 * padding, height: letter * 1.35 };
    const place = placer.place(box, extent);
    return place ? drawLabel(text, place, classColour(classIndex), { letter, padding, lettering }) : '';
  });
  const body = `<g fill="none" stroke-linejoin="round">${outlines.reverse().join('')}</g>${labels.reverse().join('')}`;
  return document(size, lettering, body);
}

/** The point, moved into the drawing as far as the line needs to be seen whole. */
function within([x, y]: readonly [number, number], { width, height }: Size, line: number): [number, number] {
  const clamp = (value: number, end: number) => Math.max(line / 2, Math.min(value, end - line / 2));
  return [clamp(x, width), clamp(y, height)];
}

function boundsOf(outline: DrawnShape['outline']): Corners {
  const xs = outline.map(([x]) => x);
  const ys = outline.map(([, y]) => y);
  return [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
}

interface LabelOptions {
  readonly letter: number;
  readonly padding: number;
  readonly lettering: Lettering;
}

function drawLabel(
  text: string,
  [x1, y1, x2, y2]: Corners,
  colour: string,
  { letter, padding, lettering }: LabelOptions,
): string {
  const plate = `<rect x="${x1.toFixed(1)}" y="${y1.toFixed(1)}" width="${(x2 - x1).toFixed(1)}" height="${(y2 - y1).toFixed(1)}" fill="${colour}" stroke="#000" stroke-opacity="0.5"/>`;
  return plate + lettering.write(text, { x: x1 + padding, y: y1 + letter * 1.02, size: letter, fill: ink(colour) });
}

/** Width in ems below which names get the place of the bars. */
const NARROW = 18;

/** An SVG to lay over an image of this size: a bar for each class on a dark plate at the lower left. */
export function drawBars(classes: readonly DrawnClass[], size: Size, fonts: readonly LetterFont[]): string {
  const lettering = createLettering(fonts);
  const row = Math.min(letterSize(size) * 1.6, size.height / Math.max(1, classes.length + 1));
  const letter = row / 1.6;
  const gap = letter * 0.6;
  const most = (size.width - 4 * gap) / letter; // ems for name, bar and number
  const numberWidth = lettering.width('100.0 %');
  const forNames = (most - numberWidth) * (most < NARROW ? 1 : 0.6);
  const names = classes.map(({ name }) => fitText(name, Math.max(1, forNames), lettering));
  const nameWidth = Math.max(0, ...names.map((name) => lettering.width(name))) * letter;
  const barWidth = Math.max(0, Math.min(8 * letter, size.width - 5 * gap - nameWidth - numberWidth * letter));
  const [plateWidth, plateHeight] = [nameWidth + barWidth + numberWidth * letter + 4 * gap, classes.length * row + gap];
  const top = size.height - plateHeight;
  const rows = classes.map(({ probability, classIndex }, i) => {
    const y = top + gap / 2 + i * row;
    const baseline = y + row / 2 + letter * 0.36;
    const x = gap * 2 + nameWidth;
    const bar = `<rect x="${x.toFixed(1)}" y="${(y + row * 0.2).toFixed(1)}" width="${Math.max(1, probability * barWidth).toFixed(1)}" height="${(row * 0.6).toFixed(1)}" fill="${classColour(classIndex)}"/>`;
    const write = (text: string, at: number) =>
      lettering.write(text, { x: at, y: baseline, size: letter, fill: '#fff' });
    return write(names[i]!, gap) + bar + write(`${(100 * probability).toFixed(1)} %`, x + barWidth + gap);
  });
  const plate = `<rect x="0" y="${top.toFixed(1)}" width="${plateWidth.toFixed(1)}" height="${plateHeight.toFixed(1)}" fill="#000" fill-opacity="0.7"/>`;
  return document(size, lettering, plate + rows.join(''));
}

const document = ({ width, height }: Size, lettering: Lettering, body: string): string =>
  `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">${lettering.definitions()}${body}</svg>`;
