import { xyxy } from '../../../geometry/box.js';
import type { RandomStream } from '../../../random.js';
import { planPatch, type BoxAugmentation, type ImageAugment } from './augment.js';
import { wholeOf, type Rect, type Resize } from '../../image/frame.js';
import { drawDistortion } from './photometric.js';
import type { Annotation, BoxSample, Picture } from '../../sample.js';

/** Range of the point where the four tiles meet, as a share of the input's sides. */
const MEETING = [0.3, 0.7] as const;
/** Maximum enlargement of an object, relative to its whole image being shown in the tile. */
const MOST_ZOOM = 2;

/** Divides the input into four tiles of whole pixels: top left, top right, bottom left, bottom right. */
export function drawTiles([height, width]: readonly [number, number], random: RandomStream): Rect[] {
  const x = Math.round(width * random.uniform(...MEETING));
  const y = Math.round(height * random.uniform(...MEETING));
  return [
    { left: 0, top: 0, width: x, height: y },
    { left: x, top: 0, width: width - x, height: y },
    { left: 0, top: y, width: x, height: height - y },
    { left: x, top: y, width: width - x, height: height - y },
  ];
}

/** Plan which part of an image a tile shows. The part lies inside the image, has the tile's proportions, and is resized
 *  as the whole image would be (`stretch` changes its proportions, the others keep them). */
export function planTile(
  annotation: Annotation,
  tile: Rect,
  { size: [height, width], resize }: { readonly size: readonly [number, number]; readonly resize: Resize },
  { photometric = false, ...look }: ImageAugment,
  random: RandomStream,
): BoxAugmentation {
  const distortion = photometric ? drawDistortion(random, Number(photometric)) : undefined;
  const shown = annotation.view ?? wholeOf(annotation);
  const square = resize === 'letterbox' || resize === 'shorterSide'; // both axes have the same scale
  const scaleX = square ? 1 : width / shown.width;
  const scaleY = square ? 1 : height / shown.height;
  const least = Math.max(tile.width / (shown.width * scaleX), tile.height / (shown.height * scaleY));
  const zoom = least * random.uniform(1, MOST_ZOOM);
  const patch = { width: tile.width / (zoom * scaleX), height: tile.height / (zoom * scaleY) };
  const left = shown.left + random.uniform(0, shown.width - patch.width);
  const top = shown.top + random.uniform(0, shown.height - patch.height);
  return planPatch(annotation, { left, top, ...patch }, look, random, distortion);
}

/** Join samples of the tiles' sizes. The result has the id, file and size of the first image. Bochkovskiy et al. 2020,
 *  §3.3 (arXiv:2004.10934). */
export function joinTiles(
  samples: readonly BoxSample[],
  tiles: readonly Rect[],
  size: readonly [number, number],
): BoxSample {
  const [height, width] = size;
  const data = new Uint8Array(height * width * 3);
  const corners: number[] = [];
  samples.forEach(({ picture, boxes }, i) => {
    const { left, top } = tiles[i]!;
    copyTile(picture, data, width, left, top);
    for (let k = 0; k < boxes.length; k += 2) corners.push(boxes[k]! + left, boxes[k + 1]! + top);
  });
  return {
    ...samples[0]!,
    picture: { data, width, height },
    boxes: xyxy(corners),
    classes: samples.flatMap(({ classes }) => classes),
    ignore: samples.flatMap(({ ignore }) => ignore),
  };
}

function copyTile(tile: Picture, to: Uint8Array, width: number, left: number, top: number): void {
  for (let y = 0; y < tile.height; y++) {
    const row = tile.data.subarray(y * tile.width * 3, (y + 1) * tile.width * 3);
    to.set(row, ((top + y) * width + left) * 3);
  }
}
