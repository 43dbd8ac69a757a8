import sharp from 'sharp';
import { frameImage } from '../data/image/frame.js';
import { decodeImage, readImageSize } from '../data/image/image.js';
import { classColour, ink } from '../draw/colours.js';
import { createLabelPlacer, type Size } from '../draw/labels.js';
import { matchPredictions } from '../evaluate/matchPredictions.js';
import type { Corners, Example } from '../tasks/section.js';
import { imageName } from './imageName.js';
import { html, type Html } from './html.js';

interface DrawnBox {
  readonly box: Corners;
  readonly label: string;
  readonly text: string;
  /** Solid for found, dashed for missed or false, dotted for ignored objects. */
  readonly line: 'solid' | 'dashed' | 'dotted';
}

/** Longer side of a drawing in the report, in CSS pixels, and of its picture, in pixels. */
const longSide = 480;
const fontSize = 13;

interface Panel {
  readonly name: string;
  readonly note: string;
  readonly drawn: readonly DrawnBox[];
}

/** Draws ground truth and prediction side by side. `names` determines the colours of the classes. */
export function drawExample(example: Example, names: readonly string[], threshold: number): Promise<Html> {
  const { truth, predictions } = drawnBoxes(example, threshold);
  const missed = truth.filter(({ line }) => line === 'dashed').length;
  const wrong = predictions.filter(({ line }) => line === 'dashed').length;
  const hidden = example.predictions.length - predictions.length;
  const below = hidden > 0 ? `; ${hidden} below ${threshold}` : '';
  return drawPanels(example, names, example.caption, [
    { name: 'ground truth', note: `${truth.length} objects, ${missed} missed`, drawn: truth },
    { name: 'prediction', note: `${predictions.length} boxes, ${wrong} false${below}`, drawn: predictions },
  ]);
}

/** Draws what models find in one image side by side, a panel for each; an object that one misses is dotted there. */
export function drawFound(
  found: readonly { readonly name: string; readonly example: Example }[],
  names: readonly string[],
  caption: string,
): Promise<Html> {
  const panels = found.map(({ name, example }): Panel => {
    const { truth, predictions } = drawnBoxes(example, 0);
    const missed = truth.filter(({ line }) => line === 'dashed');
    const dotted = missed.map((box): DrawnBox => ({ ...box, text: `${box.text} (missed)`, line: 'dotted' }));
    return { name, note: example.caption, drawn: [...predictions, ...dotted] };
  });
  return drawPanels(found[0]!.example, names, caption, panels);
}

/** Solid boxes where a prediction and an object match, dashed ones where they do not. */
function drawnBoxes({ truth, predictions }: Example, threshold: number) {
  const shown = predictions.filter(({ score }) => score >= threshold).sort((a, b) => b.score - a.score);
  const matches = matchPredictions(truth, shown);
  return {
    truth: truth.map(({ box, label, ignore }, i): DrawnBox => ({
      box,
      label,
      text: ignore ? `${label} (ignored)` : label,
      line: ignore ? 'dotted' : matches.includes(i) ? 'solid' : 'dashed',
    })),
    predictions: shown.map(({ box, label, score }, i): DrawnBox => ({
      box,
      label,
      text: `${label} ${score.toFixed(2)}`,
      line: matches[i] === -1 ? 'dashed' : 'solid',
    })),
  };
}

/** Draws a picture once for each panel, scaled, with the boxes. The boxes are SVG on top of one JPEG, so that labels are
 *  sharp, no font is needed here, and the pixels are stored once. If a picture cannot be read, that is written in its
 *  place, since a report must not fail at the end of a long run. */
async function drawPanels(
  example: Example,
  names: readonly string[],
  caption: string,
  panels: readonly Panel[],
): Promise<Html> {
  const { width, height, imageId } = example;
  const title = imageName(example);
  const scale = longSide / Math.max(width, height);
  const size = { width: Math.round(width * scale), height: Math.round(height * scale) };
  const id = `picture-${Buffer.from(String(imageId)).toString('hex')}`;
  const picture = await encodePicture(example.file, size).then(
    (uri) =>
      html`<image id="${id}" href="${uri}" width="${size.width}" height="${size.height}" preserveAspectRatio="none" />`,
    (error: unknown) => html`<g id="${id}"><text x="8" y="24">The picture cannot be read: ${String(error)}</text></g>`,
  );
  const draw = ({ name, note, drawn }: Panel, i: number) =>
    html`<div>
      <h4>${name} <small>${note}</small></h4>
      <svg viewBox="0 0 ${size.width} ${size.height}" role="img" aria-label="${name} of ${title}">
        ${i === 0 ? picture : html`<use href="#${id}" />`} ${drawBoxes(drawn, names, scale, size)}
      </svg>
    </div>`;
  return html`<figure>
    <figcaption><b>${title}</b> ${caption}</figcaption>
    <div class="pair">${panels.map(draw)}</div>
  </figure>`;
}

/** Encodes a picture as a data URI: upright, scaled down into the size, with the pixels that a model would see. */
export async function encodePicture(file: string, size: Size): Promise<string> {
  const image = await readImageSize(file);
  const scale = Math.min(1, size.width / image.width, size.height / image.height);
  const side = (length: number): number => Math.max(1, Math.round(length * scale));
  const frame = frameImage(image, { size: [side(image.height), side(image.width)] });
  const { data, width, height } = await decodeImage(file, frame, { shrinkOnLoad: true });
  const jpeg = await sharp(data, { raw: { width, height, channels: 3 } })
    .jpeg({ quality: 80, mozjpeg: true })
    .toBuffer();
  return `data:image/jpeg;base64,${jpeg.toString('base64')}`;
}

const dashes = { solid: 'none', dashed: '7 4', dotted: '1.5 3.5' } as const;

/** Draws boxes, and labels on top of them. A label for which there is no free place is left out: colour and tooltip
 *  still show the class. */
export function drawBoxes(drawn: readonly DrawnBox[], names: readonly string[], scale: number, size: Size): Html[] {
  const rows = drawn.map((box) => ({
    ...box,
    at: within(box.box, scale, size),
    colour: box.line === 'dotted' ? '#bbbbbb' : classColour(names.indexOf(box.label)),
  }));
  const frames = rows.map(({ at: [x1, y1, x2, y2], colour, line, text }) => {
    const place = html`x="${x1.toFixed(1)}" y="${y1.toFixed(1)}" width="${(x2 - x1).toFixed(1)}"
    height="${(y2 - y1).toFixed(1)}"`;
    return html`<rect ${place} class="halo" /><rect ${place} stroke="${colour}" stroke-dasharray="${dashes[line]}"
        ><title>${text}</title></rect
      >`;
  });
  const placer = createLabelPlacer(size);
  const first = (line: DrawnBox['line']) => (line === 'dashed' ? 0 : 1); // mistakes are labelled first
  const labels = rows
    .sort((a, b) => first(a.line) - first(b.line))
    .flatMap(({ at, colour, text }) => {
      const place = placer.place(at, { width: textWidth(text) + 8, height: fontSize + 4 });
      if (!place) return [];
      const [x, y, right] = place;
      const plate = html`<rect
        class="plate"
        x="${x.toFixed(1)}"
        y="${y.toFixed(1)}"
        width="${(right - x).toFixed(1)}"
        height="${fontSize + 4}"
        fill="${colour}"
      />`;
      const spot = html`x="${(x + 4).toFixed(1)}" y="${(y + fontSize).toFixed(1)}"
      textLength="${(right - x - 8).toFixed(1)}"`;
      return [html`${plate}<text ${spot} lengthAdjust="spacingAndGlyphs" fill="${ink(colour)}">${text}</text>`];
    });
  return [...frames, ...labels];
}

/** Scales a box to the drawing; the part outside of the picture is moved to its edge. */
function within(box: Corners, scale: number, size: Size): Corners {
  const inside = (value: number, end: number) => Math.max(1, Math.min(value * scale, end - 1));
  return [
    inside(box[0], size.width),
    inside(box[1], size.height),
    inside(box[2], size.width),
    inside(box[3], size.height),
  ];
}

/** Approximate width of a text in a bold sans-serif font; textLength makes the reader's font fit it. */
function textWidth(text: string): number {
  const em = (character: string) =>
    /[iljtfrI.,:;'|!() ]/.test(character) ? 0.36 : /[mwMW@%]/.test(character) ? 0.92 : 0.62;
  return fontSize * Array.from(text).reduce((sum, character) => sum + em(character), 0);
}
