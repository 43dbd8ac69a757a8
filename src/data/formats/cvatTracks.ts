import { dirname, relative, sep } from 'node:path';
import { XmlElement } from '@rgrove/parse-xml';
import { listFiles } from './detect/listing.js';
import { toNumber } from './textFile.js';

/** A shape of a track on one frame. */
export interface TrackedShape {
  readonly frame: number;
  readonly kind: string;
  readonly attributes: Readonly<Record<string, string>>;
  /** Where it stands, or the one before it. */
  readonly element: XmlElement;
}

const CORNERS = ['xtl', 'ytl', 'xbr', 'ybr'] as const;

/** The shapes of a track of "CVAT for video" where its object is in view. CVAT writes each frame; where only key frames
 *  stand, boxes between two of them move evenly, as CVAT shows them, on the frames (ascending) that have an image. */
export function shapesOfTrack(
  track: XmlElement,
  frames: readonly number[],
  unclear: (element: XmlElement) => void,
): TrackedShape[] {
  const { label = '' } = track.attributes;
  const last = frames.at(-1) ?? 0;
  const shapes = track.children
    .filter((child): child is XmlElement => child instanceof XmlElement)
    .flatMap((element): TrackedShape[] => {
      const frame = toNumber(element.attributes['frame'] ?? '');
      const isFrame = frame !== undefined && Number.isInteger(frame) && frame >= 0 && frame <= last + 1;
      if (!isFrame || !/^[01]$/.test(element.attributes['outside'] ?? '0')) {
        unclear(element);
        return [];
      }
      return [{ frame, kind: element.name, attributes: { ...element.attributes, label }, element }];
    })
    .sort((a, b) => a.frame - b.frame);
  let next = 0;
  const moving = shapes.flatMap((shape, i) => {
    const following = shapes[i + 1];
    const gap: number[] = [];
    for (; following && next < frames.length && frames[next]! < following.frame; next++)
      if (frames[next]! > shape.frame) gap.push(frames[next]!);
    return following ? [shape, ...between(shape, following, gap)] : [shape];
  });
  return moving.filter(({ attributes }) => attributes['outside'] !== '1');
}

/** The boxes of some frames between two key frames. */
function between(first: TrackedShape, second: TrackedShape, frames: readonly number[]): TrackedShape[] {
  if (first.kind !== 'box' || second.kind !== 'box' || first.attributes['outside'] === '1') return [];
  const at = ({ attributes }: TrackedShape): number[] => CORNERS.map((key) => toNumber(attributes[key] ?? '') ?? NaN);
  const [from, to] = [at(first), at(second)];
  return frames.map((frame): TrackedShape => {
    const t = (frame - first.frame) / (second.frame - first.frame);
    const corners = CORNERS.map((key, i) => [key, String(from[i]! + t * (to[i]! - from[i]!))]);
    return {
      ...first,
      frame,
      attributes: { ...first.attributes, ...(Object.fromEntries(corners) as Record<string, string>) },
    };
  });
}

/** The images of a video by the number of their frame, as paths below the root: those that CVAT calls frame_000012, or
 *  else the images in the order of their names, if there is one for each of `count` frames. Images beside the file of
 *  labels come first. Undefined if it is not clear. */
export async function imagesOfFrames(
  root: string,
  labels: string,
  count: number | undefined,
): Promise<ReadonlyMap<number, string> | undefined> {
  const all = (await listFiles(root)).images;
  const beside = relative(root, dirname(labels)).split(sep).join('/');
  const near = all.filter((image) => image.startsWith(`${beside}/`));
  const images = near.length > 0 ? near : all;
  const numbered = images.flatMap((image): [number, string][] => {
    const number = /(?:^|\/)frame_?(\d+)\.\w+$/i.exec(image)?.[1];
    return number === undefined ? [] : [[Number(number), image]];
  });
  const byNumber = new Map(numbered);
  if (byNumber.size > 0) return byNumber.size === numbered.length ? byNumber : undefined;
  const inOrder = images.toSorted((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  return images.length === count ? new Map(inOrder.entries()) : undefined;
}
