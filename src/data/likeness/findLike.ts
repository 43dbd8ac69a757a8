import { stat } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';
import pLimit from 'p-limit';
import { originOf, type Origin } from './originOf.js';
import { areAlike, readThumbnail, type Thumbnail } from './thumbnail.js';

/** Why two images belong together. */
export type Reason = 'copy by its name' | 'frame of the same video' | 'same picture';

/** Two images that belong together, by their index. Images that are linked through others belong together, too. */
export interface Link {
  readonly first: number;
  readonly second: number;
  readonly reason: Reason;
}

export interface LookedAt {
  readonly file: string;
  /** The class of a whole image: names that are the same in two classes say nothing. */
  readonly label?: number | undefined;
}

export interface FindLikeOptions {
  /** Whether the pictures are looked at, and not the names alone (default: true). */
  readonly pictures?: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** Least correlation of two pictures that are taken for the same. Of the photos of six data sets, those that show different
 *  things have 0.91 at most; of 600 copies that were saved as JPEG of quality 40 or as WebP, halved, brightened or
 *  darkened by a fifth, all have 0.95 and more. */
const SAME = 0.95;
/** Least correlation of two images that follow each other in a numbered series. */
const NEXT = 0.85;
/** Difference of the numbers of two images that follow each other: every thirtieth frame of a video may have been kept. */
const STEP = 30;
/** Images being decoded at a time. */
const AT_ONCE = 8;
/** Images that are compared with all others before Ctrl-C is listened for. */
const ROWS = 64;

/** Finds images that belong together: copies by their names, frames of a video, and images that look the same. Every
 *  two pictures are compared, so 10,000 images take some seconds after they were decoded. */
export async function findLike(
  images: readonly LookedAt[],
  { pictures = true, signal }: FindLikeOptions = {},
): Promise<Link[]> {
  const origins = images.map(({ file }) => originOf(file));
  const copies = groupBy(images, ({ label }, i) => {
    const { copyOf } = origins[i]!;
    return copyOf === undefined ? undefined : `${label ?? ''}/${copyOf}`;
  });
  const series = groupBy(images, ({ label }, i) => {
    const { series } = origins[i]!;
    return series === undefined ? undefined : `${label ?? ''}/${series}`;
  }).map((members) => members.toSorted((a, b) => origins[a]!.number! - origins[b]!.number! || a - b));
  const thumbnails = pictures ? await readThumbnails(images, signal) : [];
  return [
    ...copies.flatMap((members) => neighbours(members, 'copy by its name')),
    ...series.flatMap((members) =>
      neighbours(members, 'frame of the same video').filter(({ first, second }) =>
        follow(origins[first]!, origins[second]!, [thumbnails[first], thumbnails[second]]),
      ),
    ),
    ...(await samePictures(thumbnails, signal)),
  ];
}

/** The group of each of `count` images: the index of its first image. */
export function linkedGroups(count: number, links: readonly Link[]): number[] {
  const parent = Array.from({ length: count }, (_, i) => i);
  const root = (i: number): number => {
    let at = i;
    while (parent[at] !== at) at = parent[at] = parent[parent[at]!]!;
    return at;
  };
  for (const { first, second } of links) {
    const [a, b] = [root(first), root(second)];
    parent[Math.max(a, b)] = Math.min(a, b);
  }
  return parent.map((_, i) => root(i));
}

/** The indices of the images that have a key in common, where there is more than one. */
function groupBy(
  images: readonly LookedAt[],
  keyOf: (image: LookedAt, index: number) => string | undefined,
): number[][] {
  const groups = new Map<string, number[]>();
  for (const [i, image] of images.entries()) {
    const key = keyOf(image, i);
    if (key === undefined) continue;
    const group = groups.get(key);
    if (group) group.push(i);
    else groups.set(key, [i]);
  }
  return [...groups.values()].filter(({ length }) => length > 1);
}

const neighbours = (members: readonly number[], reason: Reason): Link[] =>
  members.slice(1).map((second, k) => ({ first: members[k]!, second, reason }));

/** Whether two neighbours of a numbered series are of one video. The number alone says nothing: most cameras and
 *  tools number their files. */
function follow(a: Origin, b: Origin, [one, other]: readonly (Thumbnail | undefined)[]): boolean {
  if (a.isVideo) return true;
  return b.number! - a.number! <= STEP && one !== undefined && other !== undefined && areAlike(one, other, NEXT);
}

/** Thumbnails by file, size and time, so that the images of a run are decoded for this once. */
const known = new Map<string, Thumbnail | undefined>();

function readThumbnails(
  images: readonly LookedAt[],
  signal: AbortSignal | undefined,
): Promise<(Thumbnail | undefined)[]> {
  const limit = pLimit(AT_ONCE);
  const read = async ({ file }: LookedAt): Promise<Thumbnail | undefined> => {
    signal?.throwIfAborted();
    const entry = await stat(file).catch(() => undefined);
    if (!entry) return undefined; // a missing image is reported elsewhere
    const key = `${entry.size} ${entry.mtimeMs} ${file}`;
    if (!known.has(key)) known.set(key, await readThumbnail(file));
    return known.get(key);
  };
  return Promise.all(images.map((image) => limit(read, image)));
}

async function samePictures(
  thumbnails: readonly (Thumbnail | undefined)[],
  signal: AbortSignal | undefined,
): Promise<Link[]> {
  const links: Link[] = [];
  for (const [second, b] of thumbnails.entries()) {
    if (second % ROWS === ROWS - 1) {
      await setImmediate();
      signal?.throwIfAborted();
    }
    if (!b) continue;
    for (let first = 0; first < second; first++) {
      const a = thumbnails[first];
      if (a && areAlike(a, b, SAME)) links.push({ first, second, reason: 'same picture' });
    }
  }
  return links;
}
