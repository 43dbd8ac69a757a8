import { xyxy } from '../../geometry/box.js';
import { bounds } from '../../geometry/polygon.js';
import { assertSize } from '../image/checkSize.js';
import { frameImage, placementOf } from '../image/frame.js';
import { decodeImage } from '../image/image.js';
import { meanColour } from '../image/meanColour.js';
import {
  ofKind,
  type ClassIndex,
  type Picture,
  type Placement,
  type TextAnnotation,
  type TextSample,
  type TextWord,
} from '../sample.js';
import { drawTextView, type TextView } from './augment/augmentText.js';
import type { SampleOptions } from './readPicture.js';

/** Maps a point of the image to a pixel of the input. */
type Map = (x: number, y: number) => readonly [number, number];

/** Read one image of scene text: letterboxed into the input, or as augmentation draws it. Then the visible part is
 *  decoded at its size, and rotated about its middle. Throws as readPicture does. */
export async function loadTextSample(
  annotation: TextAnnotation,
  { size, augment = false, random, checkSize = false }: SampleOptions,
): Promise<TextSample> {
  const view = augment && random ? drawTextView(annotation, size, ofKind(augment, 'text'), random) : undefined;
  // Both start at once, but the size is checked first, since a wrong size can make the crop itself fail.
  const seen = view ? look(annotation, size, view) : wholeImage(annotation, size);
  seen.catch(() => undefined);
  await assertSize(annotation, checkSize);
  const { picture, map, placement } = await seen;
  const words = annotation.words.flatMap((word) => placeWord(word, map, size) ?? []);
  return {
    kind: 'text',
    imageId: annotation.imageId,
    file: annotation.file,
    picture,
    boxes: xyxy(words.flatMap(({ outline }) => bounds(Float64Array.from(outline)))),
    classes: words.map(() => 0 as ClassIndex),
    ignore: words.map(({ dontCare }) => dontCare),
    words,
    flipped: view?.flip ?? false,
    originalWidth: annotation.width,
    originalHeight: annotation.height,
    placement,
  };
}

interface Seen {
  readonly picture: Picture;
  readonly map: Map;
  /** Exact if the image is not rotated. */
  readonly placement: Placement;
}

const byPlacement =
  ({ scaleX, scaleY, offsetX, offsetY }: Placement): Map =>
  (x, y) => [x * scaleX + offsetX, y * scaleY + offsetY];

async function wholeImage(annotation: TextAnnotation, size: readonly [number, number]): Promise<Seen> {
  const frame = frameImage(annotation, { size, resize: 'letterbox' });
  const placement = placementOf(frame);
  return { picture: await decodeImage(annotation.file, frame), map: byPlacement(placement), placement };
}

async function look(
  annotation: TextAnnotation,
  [height, width]: readonly [number, number],
  { centre, zoom, angle, flip, distortion }: TextView,
): Promise<Seen> {
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  // The upright rectangle around the rotated input, and one pixel on each side for the interpolation.
  const columns = Math.ceil(width * Math.abs(cos) + height * Math.abs(sin)) + 2;
  const rows = Math.ceil(width * Math.abs(sin) + height * Math.abs(cos)) + 2;
  const patch = {
    left: centre[0] - columns / zoom / 2,
    top: centre[1] - rows / zoom / 2,
    width: columns / zoom,
    height: rows / zoom,
  };
  const frame = frameImage(annotation, { size: [rows, columns], patch, flip });
  const placement = placementOf(frame);
  const upright = await decodeImage(annotation.file, frame, { distortion, shrinkOnLoad: true });
  const place = byPlacement(placement);
  return {
    picture: rotated(upright, height, width, cos, sin),
    placement,
    map: (x, y) => {
      const [px, py] = place(x, y);
      const [u, v] = [px - columns / 2, py - rows / 2];
      return [u * cos - v * sin + width / 2, u * sin + v * cos + height / 2];
    },
  };
}

/** Rotates a picture clockwise about its middle, with bilinear interpolation, and crops it to a size about the same
 *  middle. */
function rotated(
  { data, width: columns, height: rows }: Picture,
  height: number,
  width: number,
  cos: number,
  sin: number,
): Picture {
  const turned = new Uint8Array(height * width * 3);
  const [mr, mg, mb] = meanColour;
  for (let y = 0, to = 0; y < height; y++) {
    const v = y + 0.5 - height / 2;
    for (let x = 0; x < width; x++, to += 3) {
      const u = x + 0.5 - width / 2;
      const px = u * cos + v * sin + columns / 2 - 0.5;
      const py = v * cos - u * sin + rows / 2 - 0.5;
      const [x0, y0] = [Math.floor(px), Math.floor(py)];
      if (x0 < 0 || y0 < 0 || x0 + 1 >= columns || y0 + 1 >= rows) {
        turned[to] = mr;
        turned[to + 1] = mg;
        turned[to + 2] = mb;
        continue;
      }
      const [fx, fy] = [px - x0, py - y0];
      const at = (y0 * columns + x0) * 3;
      const below = at + columns * 3;
      for (let c = 0; c < 3; c++) {
        const top = data[at + c]! + (data[at + 3 + c]! - data[at + c]!) * fx;
        const bottom = data[below + c]! + (data[below + 3 + c]! - data[below + c]!) * fx;
        turned[to + c] = top + (bottom - top) * fy + 0.5;
      }
    }
  }
  return { data: turned, width, height };
}

/** Maps a word to the input's pixels; undefined if it lies outside. */
function placeWord(word: TextWord, map: Map, [height, width]: readonly [number, number]): TextWord | undefined {
  const move = (points: readonly number[]): number[] => {
    const moved: number[] = [];
    for (let i = 0; i < points.length; i += 2) moved.push(...map(points[i]!, points[i + 1]!));
    return moved;
  };
  const outline = move(word.outline);
  const [x1, y1, x2, y2] = bounds(Float64Array.from(outline));
  if (x2 <= 0 || y2 <= 0 || x1 >= width || y1 >= height) return undefined;
  const { characters, ...rest } = word;
  return { ...rest, outline, ...(characters && { characters: characters.map(move) }) };
}
