import { setImmediate } from 'node:timers/promises';
import pLimit from 'p-limit';
import { originOf, type Origin } from './originOf.js';
import { bucketsOf } from './buckets.js';
import { digestOf, LEAST_FILES, readChecked, saveScans, scanFile, versionOf, writeChecked } from '../scan/scanCache.js';
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
/** Pictures that are compared with all others before Ctrl-C is listened for. */
const ROWS = 64;
/** Pictures of which every two are compared; of more, those that share a bucket (buckets.ts). */
const ALL_PAIRS = 5000;
/** Pictures before it in a bucket that one is compared with: a video has thousands of frames that are all alike. */
const NEAREST = 256;

/** Finds images that belong together: copies by their names, frames of a video, and images that look the same. Every
 *  two of 5,000 pictures are compared; of more, a few in a thousand pairs that hardly look the same may be missed. */
export async function findLike(images: readonly LookedAt[], options: FindLikeOptions = {}): Promise<Link[]> {
  if (images.length < LEAST_FILES || options.pictures === false) return search(images, options);
  const key = digestOf(images.map(({ file, label }) => `${file}\t${versionOf(file)}\t${label ?? ''}`).join('\n'));
  const file = scanFile(`${key}.like`);
  const known = linksIn(readChecked(file, LIKE), images.length);
  if (known) return known;
  const links = await search(images, options);
  await saveScans();
  await writeChecked(file, LIKE, links.map(({ first, second, reason }) => `${first} ${second} ${reason}`).join('\n'));
  return links;
}

const LIKE = 'tfjs-finetune like 1';
const REASONS: readonly Reason[] = ['copy by its name', 'frame of the same video', 'same picture'];

/** The links that were found before among the same images; undefined if they were not, or are damaged. */
function linksIn(text: string | undefined, count: number): Link[] | undefined {
  if (text === undefined) return undefined;
  const links: Link[] = [];
  for (const line of text === '' ? [] : text.split('\n')) {
    const [, one, other, name] = /^(\d+) (\d+) (.+)$/.exec(line) ?? [];
    const [first, second] = [Number(one), Number(other)];
    const reason = REASONS.find((known) => known === name);
    if (reason === undefined || first >= count || second >= count) return undefined;
    links.push({ first, second, reason });
  }
  return links;
}

async function search(images: readonly LookedAt[], { pictures = true, signal }: FindLikeOptions): Promise<Link[]> {
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
  const groups = disjointSets(count);
  for (const { first, second } of links) groups.join(first, second);
  return Array.from({ length: count }, (_, i) => groups.find(i));
}

/** Groups of indices, each called by its lowest one. */
function disjointSets(count: number) {
  const parent = Array.from({ length: count }, (_, i) => i);
  const find = (i: number): number => {
    let at = i;
    while (parent[at] !== at) at = parent[at] = parent[parent[at]!]!;
    return at;
  };
  const join = (first: number, second: number): void => {
    const [a, b] = [find(first), find(second)];
    parent[Math.max(a, b)] = Math.min(a, b);
  };
  return { find, join };
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

function readThumbnails(
  images: readonly LookedAt[],
  signal: AbortSignal | undefined,
): Promise<(Thumbnail | undefined)[]> {
  const limit = pLimit(AT_ONCE);
  const read = async ({ file }: LookedAt): Promise<Thumbnail | undefined> => {
    signal?.throwIfAborted();
    return readThumbnail(file); // undefined for a missing image, which is reported elsewhere
  };
  return Promise.all(images.map((image) => limit(read, image)));
}

async function samePictures(
  thumbnails: readonly (Thumbnail | undefined)[],
  signal: AbortSignal | undefined,
): Promise<Link[]> {
  const links: Link[] = [];
  const groups = disjointSets(thumbnails.length);
  const compare = (first: number, second: number): void => {
    const [a, b] = [thumbnails[first], thumbnails[second]];
    if (!a || !b || groups.find(first) === groups.find(second) || !areAlike(a, b, SAME)) return;
    links.push({ first, second, reason: 'same picture' });
    groups.join(first, second);
  };
  const listen = async (): Promise<void> => {
    await setImmediate();
    signal?.throwIfAborted();
  };
  if (thumbnails.length <= ALL_PAIRS) {
    for (const second of thumbnails.keys()) {
      if (second % ROWS === ROWS - 1) await listen();
      for (let first = 0; first < second; first++) compare(first, second);
    }
    return links;
  }
  for (const buckets of bucketsOf(thumbnails)) {
    await listen();
    for (const members of buckets)
      for (let k = 1; k < members.length; k++)
        for (let j = k - 1; j >= Math.max(0, k - NEAREST); j--) compare(members[j]!, members[k]!);
  }
  return links;
}
