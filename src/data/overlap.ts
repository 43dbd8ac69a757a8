import { createHash } from 'node:crypto';
import { createReadStream, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { basename } from 'node:path';
import pLimit from 'p-limit';
import { findLike, linkedGroups, type Reason } from './likeness/findLike.js';
import type { Annotation } from './sample.js';
import { saveScans, scanned, type Scan } from './scan/scanCache.js';

/** Images of one part that are also in another, or have a near-duplicate there. */
export interface Overlap {
  readonly part: string;
  readonly other: string;
  readonly images: number;
  /** Number of images in `part`. */
  readonly of: number;
  /** Each of the images, with one of `other` that belongs to it. */
  readonly pairs: readonly SharedImage[];
}

export interface SharedImage {
  readonly file: string;
  readonly other: string;
  readonly reason: Reason | 'same file';
}

export interface ComparedPart {
  readonly name: string;
  readonly annotations: readonly Compared[];
}

type Compared = Pick<Annotation, 'file'> & { readonly label?: number };

export interface OverlapOptions {
  /** Whether pictures are compared, however many there are (default: true). */
  readonly pictures?: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** Images of which a run compares the pictures before it begins; of more, it compares names and bytes. */
const MOST_PICTURES = 3000;

/** Files being looked at or read at a time. */
const AT_ONCE = 16;
/** Bytes by which files of the same size are compared first. */
const HEAD = 4096;

interface Entry {
  readonly part: number;
  readonly image: Compared;
  readonly file: string;
  readonly size: number;
  /** The file itself, whatever its name: links lead to the same one. */
  readonly inode: string;
}

type Key = (entry: Entry) => Promise<string>;

/** Finds the images that parts share: the same file under any name, another file with the same bytes, and near-duplicates
 *  (findLike.ts). Each part is compared with those before it. */
export async function findOverlaps(
  parts: readonly ComparedPart[],
  { pictures = true, signal }: OverlapOptions = {},
): Promise<Overlap[]> {
  const entries = entriesOf(parts);
  const images = entries.map(({ part, image }) => ({ ...image, part }));
  const looks = pictures || images.length <= MOST_PICTURES;
  const links = parts.length > 1 ? await findLike(images, { pictures: looks, signal }) : [];
  const groups = linkedGroups(images.length, links);
  const equal = await sameFiles(entries);
  await saveScans();
  return parts.flatMap(({ name }, part) =>
    parts.slice(0, part).flatMap((other, j): Overlap[] => {
      const there = new Map<string | number, string>(); // file contents or group → an image of the other part
      const linked = new Map<number, { readonly at: number; readonly reason: Reason }>();
      images.forEach(({ part, file }, i) => {
        if (part !== j) return;
        for (const key of [groups[i]!, equal.get(file)]) if (key !== undefined && !there.has(key)) there.set(key, file);
      });
      for (const { first, second, reason } of links) {
        for (const [i, at] of [
          [first, second],
          [second, first],
        ] as const)
          if (images[i]!.part === part && images[at]!.part === j) linked.set(i, { at, reason });
      }
      const pairs = images.flatMap(({ part: own, file }, i): SharedImage[] => {
        if (own !== part) return [];
        const same = equal.get(file);
        const copy = same === undefined ? undefined : there.get(same);
        if (copy !== undefined) return [{ file, other: copy, reason: 'same file' }];
        const direct = linked.get(i);
        if (direct) return [{ file, other: images[direct.at]!.file, reason: direct.reason }];
        const through = there.get(groups[i]!);
        return through === undefined ? [] : [{ file, other: through, reason: 'same picture' }];
      });
      const { length: of } = images.filter(({ part: own }) => own === part);
      return pairs.length === 0 ? [] : [{ part: name, other: other.name, images: pairs.length, of, pairs }];
    }),
  );
}

/** For each file that is in several parts, or has the bytes of one in another part: what they have in common. Files are
 *  read only where parts have files of the same size. */
async function sameFiles(entries: readonly Entry[]): Promise<ReadonlyMap<string, string>> {
  const limit = pLimit(AT_ONCE);
  const same = await groupBy(entries, [({ inode }) => Promise.resolve(inode)]);
  const distinct = [...new Map(entries.map((entry) => [`${entry.part} ${entry.inode}`, entry])).values()];
  const equal = await groupBy(distinct, [
    ({ size }) => Promise.resolve(String(size)),
    ({ file }) => limit(async () => scanned(HEADS, file, () => headOf(file))),
    ({ file }) => limit(async () => scanned(HASHES, file, () => hashOf(file))),
  ]);
  const keyOf = new Map<string, string>(); // inode → the first of those with the same bytes
  for (const group of [...same, ...equal]) for (const { inode } of group) keyOf.set(inode, group[0]!.inode);
  return new Map(entries.flatMap(({ file, inode }) => (keyOf.has(inode) ? [[file, `=${keyOf.get(inode)!}`]] : [])));
}

const entriesOf = (parts: readonly ComparedPart[]): Entry[] =>
  parts.flatMap(({ annotations }, part) => annotations.flatMap((image) => entryOf(image, part) ?? []));

/** Size and inode of a file; undefined for a missing one, which is reported elsewhere. */
function infoOf(file: string) {
  try {
    return statSync(file, { bigint: true, throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

function entryOf(image: Compared, part: number): Entry | undefined {
  const { file } = image;
  const info = infoOf(file);
  return (
    info && { part, image, file, size: Number(info.size), inode: info.ino === 0n ? file : `${info.dev}:${info.ino}` }
  );
}

/** The groups of entries that have all keys in common and are of more than one part. Later keys are computed only within
 *  such groups. */
async function groupBy(entries: readonly Entry[], [key, ...others]: readonly Key[]): Promise<Entry[][]> {
  if (!key) return [[...entries]];
  const keys = await Promise.all(entries.map(key));
  const groups = new Map<string, Entry[]>();
  entries.forEach((entry, i) => {
    const group = groups.get(keys[i]!);
    if (group) group.push(entry);
    else groups.set(keys[i]!, [entry]);
  });
  const across = [...groups.values()].filter((group) => group.some(({ part }) => part !== group[0]!.part));
  return (await Promise.all(across.map((group) => groupBy(group, others)))).flat();
}

const isText = (value: unknown): value is string => typeof value === 'string';
/** Length of a hash in base64; what cannot be read is not kept. */
const keeps = ({ length }: string): boolean => length === 28;
const HEADS: Scan<string> = { name: 'heads', isSound: isText, keeps };
const HASHES: Scan<string> = { name: 'hashes', isSound: isText, keeps };

/** The hash of the first bytes of a file; its name if it cannot be read, so that it equals no other. */
async function headOf(file: string): Promise<string> {
  const handle = await open(file).catch(() => undefined);
  if (!handle) return file;
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(HEAD), 0, HEAD);
    return createHash('sha1').update(buffer.subarray(0, bytesRead)).digest('base64');
  } catch {
    return file;
  } finally {
    await handle.close();
  }
}

/** The hash of a file; its name if it cannot be read. */
async function hashOf(file: string): Promise<string> {
  const sum = createHash('sha1');
  try {
    for await (const chunk of createReadStream(file)) sum.update(chunk as Buffer);
  } catch {
    return file;
  }
  return sum.digest('base64');
}

/** The overlap in a sentence, with a pair of near-duplicates if it has some. */
export function describeOverlap({ part, other, images, of, pairs }: Overlap): string {
  const near = pairs.filter(({ reason }) => reason !== 'same file');
  const [first] = near;
  if (!first) return `${images} of the ${of} images of ${part} are also in ${other}`;
  const example = `${basename(first.file)} and ${basename(first.other)}: ${first.reason}`;
  return `${images} of the ${of} images of ${part} are also in ${other}, or resemble images there (${example})`;
}
