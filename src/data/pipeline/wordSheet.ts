import { project, squareToQuad } from '../../geometry/homography.js';
import { frameImage } from '../image/frame.js';
import { assertSize } from '../image/checkSize.js';
import { decodeImage } from '../image/image.js';
import { meanColour } from '../image/meanColour.js';
import type { Dataset, Picture, TextWord } from '../sample.js';

/** A word of a data set. */
export interface WordPlace {
  /** Row of `dataset.annotations`. */
  readonly image: number;
  /** Index among the image's words. */
  readonly word: number;
}

/** Where a rectified word lies on a sheet, in whole and even pixels, without the margin around it. */
export interface PlacedCrop extends WordPlace {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** Rectified words side by side on one picture, so that the network reads many in one call. */
export interface WordSheet {
  readonly picture: Picture;
  readonly crops: readonly PlacedCrop[];
}

/** Pixels of the scene kept around a word, and of the gap between two words. */
const MARGIN = 8;
/** Maximum ratio of a crop's length to its height. */
const LONGEST = 12;

/** Size of a word's crop in pixels: `across` for its shorter side, which is the one across the line of writing. The
 *  sides are even, so that each cell of the score maps belongs to one crop. */
export function cropSize(
  outline: readonly number[],
  across: number,
  [rows, columns]: readonly [number, number],
): { readonly width: number; readonly height: number } {
  const [ax, ay, bx, by, cx, cy, dx, dy] = outline as [number, number, number, number, number, number, number, number];
  const wide = (Math.hypot(bx - ax, by - ay) + Math.hypot(cx - dx, cy - dy)) / 2;
  const high = (Math.hypot(dx - ax, dy - ay) + Math.hypot(cx - bx, cy - by)) / 2;
  const even = (length: number, most: number): number => 2 * Math.round(Math.min(most, length) / 2);
  const ratio = Math.min(LONGEST, Math.max(wide, high) / Math.max(1, Math.min(wide, high)));
  const along = across * ratio;
  return wide >= high
    ? { width: even(along, columns - 4 * MARGIN), height: even(across, rows - 4 * MARGIN) }
    : { width: even(across, columns - 4 * MARGIN), height: even(along, rows - 4 * MARGIN) };
}

/** Rectifies a word: a picture of it as if it were written straight and flat, of the given size and a margin on every
 *  side. Where the crop is smaller than the word, several samples are averaged for a pixel. Undefined if the outline is
 *  not a quad. */
export function rectify(
  { data, width: columns, height: rows }: Picture,
  outline: readonly number[],
  { width, height, margin = MARGIN }: { readonly width: number; readonly height: number; readonly margin?: number },
): Picture | undefined {
  const plane = outline.length === 8 ? squareToQuad(outline) : undefined;
  if (!plane) return undefined;
  const [fullWidth, fullHeight] = [width + 2 * margin, height + 2 * margin];
  const crop = new Uint8Array(fullWidth * fullHeight * 3);
  const [ax, ay, , , , , dx, dy] = outline as [number, number, number, number, number, number, number, number];
  const fine = Math.min(4, Math.max(1, Math.round(Math.hypot(dx - ax, dy - ay) / height)));
  const sums = new Float64Array(3);
  for (let y = 0, to = 0; y < fullHeight; y++) {
    for (let x = 0; x < fullWidth; x++, to += 3) {
      sums.fill(0);
      for (let k = 0; k < fine * fine; k++) {
        const u = (x - margin + ((k % fine) + 0.5) / fine) / width;
        const v = (y - margin + (Math.floor(k / fine) + 0.5) / fine) / height;
        const [px, py] = project(plane, u, v);
        const [x0, y0] = [within(px - 0.5, columns), within(py - 0.5, rows)];
        const [left, top] = [Math.floor(x0), Math.floor(y0)];
        const at = 3 * (top * columns + left);
        const [right, below] = [left + 1 < columns ? 3 : 0, top + 1 < rows ? 3 * columns : 0];
        for (let c = 0; c < 3; c++) {
          const high = data[at + c]! + (data[at + right + c]! - data[at + c]!) * (x0 - left);
          const low = data[at + below + c]! + (data[at + below + right + c]! - data[at + below + c]!) * (x0 - left);
          sums[c] = sums[c]! + high + (low - high) * (y0 - top);
        }
      }
      for (let c = 0; c < 3; c++) crop[to + c] = sums[c]! / fine ** 2 + 0.5;
    }
  }
  return { data: crop, width: fullWidth, height: fullHeight };
}

/** Beyond its border the picture goes on as it ends. */
const within = (value: number, length: number): number => Math.min(length - 1, Math.max(0, value));

/** Puts all words whose characters are unknown on sheets of the given size, image after image. Throws E_IMAGE_MISSING,
 *  E_IMAGE_DECODE or E_IMAGE_SIZE. */
export async function* wordSheets(
  { annotations }: Pick<Dataset, 'annotations'>,
  [rows, columns]: readonly [height: number, width: number],
  across: number,
): AsyncGenerator<WordSheet, void, undefined> {
  let sheet = blankSheet(rows, columns);
  let crops: PlacedCrop[] = [];
  let [x, y, shelf] = [0, 0, 0]; // the place of the next crop, and the height of its row
  for (const [image, annotation] of annotations.entries()) {
    const words = (annotation.kind === 'text' ? [...annotation.words.entries()] : []).filter(([, word]) =>
      isUnspelt(word),
    );
    if (words.length === 0) continue;
    const size = [annotation.height, annotation.width] as const;
    await assertSize(annotation, 'once');
    const picture = await decodeImage(annotation.file, frameImage(annotation, { size }));
    for (const [word, { outline }] of words) {
      const inner = cropSize(outline, across, [rows, columns]);
      const crop = rectify(picture, outline, inner);
      if (!crop) continue;
      if (x + crop.width > columns) [x, y, shelf] = [0, y + shelf + MARGIN, 0];
      if (y + crop.height > rows) {
        yield { picture: sheet, crops };
        [x, y, shelf, sheet, crops] = [0, 0, 0, blankSheet(rows, columns), []];
      }
      paste(sheet, crop, x, y);
      crops.push({ image, word, ...inner, left: x + MARGIN, top: y + MARGIN });
      [x, shelf] = [x + crop.width + MARGIN, Math.max(shelf, crop.height)];
    }
  }
  if (crops.length > 0) yield { picture: sheet, crops };
}

/** Whether a word is readable, has no character boxes, and has a quad as its outline. */
export const isUnspelt = ({ dontCare, characters, outline }: TextWord): boolean =>
  !dontCare && !characters && outline.length === 8;

function blankSheet(height: number, width: number): Picture {
  const data = new Uint8Array(height * width * 3);
  for (let i = 0; i < data.length; i++) data[i] = meanColour[i % 3]!;
  return { data, width, height };
}

function paste(sheet: Picture, { data, width, height }: Picture, left: number, top: number): void {
  for (let y = 0; y < height; y++)
    sheet.data.set(data.subarray(y * width * 3, (y + 1) * width * 3), ((top + y) * sheet.width + left) * 3);
}
