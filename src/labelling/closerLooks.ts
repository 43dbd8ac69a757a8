import { frameImage, type Rect } from '../data/image/frame.js';
import { decodeImage, type ImageSource } from '../data/image/image.js';
import type { OpenedDetector } from '../predict/openModel.js';
import type { PredictAllOptions } from '../predict/pipeline.js';
import type { Corners, PredictedBox } from '../tasks/section.js';
import type { LookedAtBoxes } from './suspect.js';

/** Sides of the squares around a label that are looked at, in longer sides of the label. The larger one shows where the
 *  object is if the box is off. */
const ZOOMS = [1.7, 3];
/** Least side of a square, in pixels. */
const LEAST_SIDE = 48;
/** Share of the image from which a square shows no more than the first look. */
const NEARLY_ALL = 0.8;
/** Pixels of an image that is decoded once for all of its squares. */
const MOST_PIXELS = 2 ** 26;

interface Look {
  readonly image: LookedAtBoxes;
  readonly row: number;
  readonly rect: Rect;
}

/** What the model sees around each label when that part of the image fills its input, in pixels of the image: a network
 *  sees small objects far better so. One list for each label of each image. */
export async function lookCloser(
  images: readonly LookedAtBoxes[],
  model: Pick<OpenedDetector, 'predictAll'>,
  named: (category: string) => string | undefined,
  { signal, onProgress }: Pick<PredictAllOptions, 'signal' | 'onProgress'>,
): Promise<readonly (readonly (readonly PredictedBox[])[])[]> {
  const looks = images.flatMap((image) =>
    image.truth.flatMap(({ box, ignore }, row): Look[] =>
      ignore ? [] : squaresAround(box, image).map((rect) => ({ image, row, rect })),
    ),
  );
  const seen = new Map(images.map((image) => [image, image.truth.map((): PredictedBox[] => [])]));
  let next = 0;
  for await (const result of model.predictAll(cutOut(looks), { signal, onProgress, total: looks.length })) {
    const { image, row, rect } = looks[next++]!;
    if (result.error) continue; // the first look could read the image
    for (const { category, score, box } of result.predictions) {
      const label = named(category);
      const [x, y] = [rect.left + box[0], rect.top + box[1]];
      if (label !== undefined) seen.get(image)![row]!.push({ label, score, box: [x, y, x + box[2], y + box[3]] });
    }
  }
  return images.map((image) => seen.get(image)!);
}

/** Squares around a box, moved into the image. */
function squaresAround([x1, y1, x2, y2]: Corners, image: LookedAtBoxes): Rect[] {
  const longer = Math.max(x2 - x1, y2 - y1);
  return ZOOMS.flatMap((zoom) => {
    const side = Math.max(LEAST_SIDE, zoom * longer);
    const [width, height] = [Math.min(side, image.width), Math.min(side, image.height)].map(Math.round) as [
      number,
      number,
    ];
    if (width * height > NEARLY_ALL * image.width * image.height) return [];
    const start = (middle: number, length: number, all: number): number =>
      Math.round(Math.min(Math.max(0, middle - length / 2), all - length));
    return [
      {
        left: start((x1 + x2) / 2, width, image.width),
        top: start((y1 + y2) / 2, height, image.height),
        width,
        height,
      },
    ];
  });
}

/** The pixels of each square; an image is decoded once. */
async function* cutOut(looks: readonly Look[]) {
  let last: { readonly image: LookedAtBoxes; readonly source: ImageSource } | undefined;
  for (const { image, rect } of looks) {
    if (last?.image !== image) last = { image, source: await sourceOf(image) };
    yield await decodeImage(last.source, frameImage(image, { size: [rect.height, rect.width], patch: rect }));
  }
}

const sourceOf = async (image: LookedAtBoxes): Promise<ImageSource> =>
  image.width * image.height > MOST_PIXELS
    ? image.file
    : decodeImage(image.file, frameImage(image, { size: [image.height, image.width] }));
