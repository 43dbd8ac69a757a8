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

/** Sides of the tiles that an image is looked at in, as a share of its longer side, and how far the next one is, as a share
 *  of a tile. */
const [TILE, STEP] = [0.4, 0.75];
/** Pixels from the inner edge of a tile within which a detection may be the rest of an object that was cut. */
const CUT = 3;

interface Look {
  readonly image: LookedAtBoxes;
  readonly rect: Rect;
}

type Naming = (category: string) => string | undefined;
type Options = Pick<PredictAllOptions, 'signal' | 'onProgress'>;
type Model = Pick<OpenedDetector, 'predictAll'>;

/** What the model sees around each label when that part of the image fills its input, in pixels of the image: a network
 *  sees small objects far better so. One list for each label of each image. */
export async function lookCloser(
  images: readonly LookedAtBoxes[],
  model: Model,
  named: Naming,
  options: Options,
): Promise<readonly (readonly (readonly PredictedBox[])[])[]> {
  const looks = images.flatMap((image) =>
    image.truth.flatMap(({ box, ignore }, row) =>
      ignore ? [] : squaresAround(box, image).map((rect) => ({ image, rect, row })),
    ),
  );
  const seen = new Map(images.map((image) => [image, image.truth.map((): PredictedBox[] => [])]));
  await lookAtEach(looks, model, named, options, ({ image, row }, found) => seen.get(image)![row]!.push(...found));
  return images.map((image) => seen.get(image)!);
}

/** What the model sees in tiles of each image, in pixels of the image, without what a tile cuts. One list for each
 *  image. */
export async function lookAtTiles(
  images: readonly LookedAtBoxes[],
  model: Model,
  named: Naming,
  options: Options,
): Promise<readonly (readonly PredictedBox[])[]> {
  const looks = images.flatMap((image) => tilesOf(image).map((rect) => ({ image, rect })));
  const seen = new Map(images.map((image): [LookedAtBoxes, PredictedBox[]] => [image, []]));
  await lookAtEach(looks, model, named, options, ({ image, rect }, found) => {
    seen.get(image)!.push(...found.filter(({ box }) => !isCut(box, rect, image)));
  });
  return images.map((image) => seen.get(image)!);
}

/** Predicts each look, and hands over what is found, in pixels of the image. */
async function lookAtEach<L extends Look>(
  looks: readonly L[],
  model: Model,
  named: Naming,
  { signal, onProgress }: Options,
  take: (look: L, found: PredictedBox[]) => void,
): Promise<void> {
  let next = 0;
  for await (const result of model.predictAll(cutOut(looks), { signal, onProgress, total: looks.length })) {
    const look = looks[next++]!;
    if (result.error) continue; // the first look could read the image
    const { left, top } = look.rect;
    take(
      look,
      result.predictions.flatMap(({ category, score, box: [x, y, width, height] }): PredictedBox[] => {
        const label = named(category);
        if (label === undefined) return [];
        return [{ label, score, box: [left + x, top + y, left + x + width, top + y + height] }];
      }),
    );
  }
}

/** Squares that cover an image, evenly spaced. */
function tilesOf({ width, height }: LookedAtBoxes): Rect[] {
  const side = Math.round(Math.max(LEAST_SIDE, TILE * Math.max(width, height)));
  const starts = (length: number): number[] => {
    const count = length <= side ? 1 : Math.ceil((length - side) / (STEP * side)) + 1;
    return Array.from({ length: count }, (_, i) => (count === 1 ? 0 : Math.round(((length - side) * i) / (count - 1))));
  };
  if (Math.min(side, width) * Math.min(side, height) > NEARLY_ALL * width * height) return [];
  return starts(height).flatMap((top) =>
    starts(width).map((left) => ({ left, top, width: Math.min(side, width), height: Math.min(side, height) })),
  );
}

/** Whether a box ends where its tile does, and the image goes on. */
const isCut = ([x1, y1, x2, y2]: Corners, { left, top, width, height }: Rect, image: LookedAtBoxes): boolean =>
  (left > 0 && x1 <= left + CUT) ||
  (top > 0 && y1 <= top + CUT) ||
  (left + width < image.width && x2 >= left + width - CUT) ||
  (top + height < image.height && y2 >= top + height - CUT);

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
