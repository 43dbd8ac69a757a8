import { xyxy } from '../../../geometry/box.js';
import { crossesItself } from '../../../geometry/crosses.js';
import { bounds, region } from '../../../geometry/polygon.js';
import type { Findings } from '../../findings.js';
import type { RawImage, RawObject } from '../../rawDataset.js';
import type { Category, CategoryId, ClassIndex, Dataset, TextAnnotation, TextWord } from '../../sample.js';

/** An image with its words as they stand in a file. */
export interface RawTextImage {
  readonly imageId: string | number;
  /** Absolute path. */
  readonly file: string;
  readonly fileName: string;
  readonly width: number;
  readonly height: number;
  readonly words: readonly TextWord[];
}

/** The one category of scene text. */
const TEXT: Category = { id: 1 as CategoryId, name: 'text' };

/** Makes a data set of words. Quads that run counter-clockwise or cross themselves are corrected and counted; words
 *  without area, outside their image or further beyond it than it is large are left out and counted. */
export function buildText(name: string, images: readonly RawTextImage[], findings: Findings): Dataset<TextAnnotation> {
  const annotations = images.map(({ imageId, file, fileName, width, height, words }): TextAnnotation => {
    const image = { imageId, file, width, height };
    const kept = words.flatMap((word) => mend(word, image, findings) ?? []);
    findings.inspect?.(...inspected(image, fileName, kept));
    return {
      kind: 'text',
      ...image,
      boxes: xyxy(kept.flatMap(({ outline }) => bounds(Float64Array.from(outline)))),
      classes: kept.map(() => 0 as ClassIndex),
      ignore: kept.map(({ dontCare }) => dontCare),
      words: kept,
    };
  });
  return {
    name,
    categories: [TEXT],
    annotations,
    dropped: findings.dropped,
    toCoco: () => toCoco(annotations, images),
  };
}

/** The words as objects with boxes, for the data check. */
function inspected(
  image: Omit<RawImage, 'fileName' | 'objects'>,
  fileName: string,
  words: readonly TextWord[],
): [RawImage, readonly RawObject[]] {
  const objects = words.map(({ outline, dontCare }, id): RawObject => {
    const [x1, y1, x2, y2] = bounds(Float64Array.from(outline));
    const bbox = [x1, y1, x2 - x1, y2 - y1] as const;
    const problem = (message: string) => ({ code: 'E_ICDAR_BOX', message, where: { file: image.file } }) as const;
    return { id, category: TEXT.name, bbox, area: bbox[2] * bbox[3], iscrowd: dontCare ? 1 : 0, problem };
  });
  return [{ ...image, fileName, objects }, objects];
}

function mend(
  word: TextWord,
  { file, width, height }: Pick<TextAnnotation, 'file' | 'width' | 'height'>,
  findings: Findings,
): TextWord | undefined {
  const mended = mendOutline(word.outline);
  const note = () => ({ message: `word "${word.text}": ${word.outline.join(', ')}`, where: { file } });
  const [x1, y1, x2, y2] = bounds(Float64Array.from(mended.outline));
  const isFar = Math.max(-x1, x2 - width) > width || Math.max(-y1, y2 - height) > height;
  const outside = isFar || x2 <= 0 || y2 <= 0 || x1 >= width || y1 >= height;
  if (outside || region(Float64Array.from(mended.outline)).area < 1) {
    findings.count(outside ? 'word outside its image' : 'word without area', note);
    return undefined;
  }
  if (mended.reason) findings.count(mended.reason, note);
  if (word.outline.length > 8 && crossesItself(word.outline)) findings.count('polygons that cross themselves', note);
  return { ...word, outline: mended.outline };
}

/** Uncrosses a quad that crosses itself, and makes any polygon clockwise (y points down). `reason` tells what was
 *  changed. */
export function mendOutline(outline: readonly number[]): {
  readonly outline: readonly number[];
  readonly reason?: string;
} {
  if (outline.length === 8) {
    // Of the three closed orders of four points, two cross; swapping two neighbours gives the third.
    const orders = [
      [0, 1, 2, 3],
      [0, 2, 1, 3],
      [0, 1, 3, 2],
    ] as const;
    const turned = orders.map((order) => order.flatMap((i) => [outline[2 * i]!, outline[2 * i + 1]!]));
    const areas = turned.map((points) => Math.abs(twiceArea(points)));
    const best = areas.indexOf(Math.max(...areas));
    if (best > 0 && crossesItself(outline))
      return { outline: clockwise(turned[best]!), reason: 'crossed quads put in order' };
  }
  const turned = clockwise(outline);
  return turned === outline ? { outline } : { outline: turned, reason: 'outlines turned clockwise' };
}

function twiceArea(points: readonly number[]): number {
  const n = points.length;
  let sum = 0;
  for (let i = 0; i < n; i += 2) sum += points[i]! * points[(i + 3) % n]! - points[(i + 2) % n]! * points[i + 1]!;
  return sum;
}

/** The points in clockwise order; the first point stays the first. */
function clockwise(points: readonly number[]): readonly number[] {
  if (twiceArea(points) >= 0) return points;
  const n = points.length;
  return points.map((_, i) => points[(n - (i & ~1) + (i & 1)) % n]!);
}

function toCoco(
  annotations: readonly TextAnnotation[],
  images: readonly RawTextImage[],
): ReturnType<Dataset['toCoco']> {
  let id = 0;
  return {
    images: annotations.map(({ imageId, width, height }, i) => ({
      id: imageId,
      width,
      height,
      file_name: images[i]!.fileName,
    })),
    categories: [TEXT],
    annotations: annotations.flatMap(({ imageId, words }) =>
      words.map(({ outline, dontCare }) => {
        const [x1, y1, x2, y2] = bounds(Float64Array.from(outline));
        const bbox = [x1, y1, x2 - x1, y2 - y1] as const;
        return {
          id: ++id,
          image_id: imageId,
          category_id: TEXT.id,
          bbox,
          area: bbox[2] * bbox[3],
          iscrowd: dontCare ? 1 : 0,
        } as const;
      }),
    ),
  };
}
