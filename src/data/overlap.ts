import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import pLimit from 'p-limit';
import type { Annotation } from './sample.js';

/** Images of one part that are also in another. */
export interface Overlap {
  readonly part: string;
  readonly other: string;
  readonly images: number;
  /** Number of images in `part`. */
  readonly of: number;
}

export interface ComparedPart {
  readonly name: string;
  readonly annotations: readonly Pick<Annotation, 'file'>[];
}

/** Files being looked at or read at a time. */
const AT_ONCE = 16;
/** Bytes by which files of the same size are compared first. */
const HEAD = 4096;

interface Entry {
  readonly part: number;
  readonly file: string;
  readonly size: number;
  /** The file itself, whatever its name: links lead to the same one. */
  readonly inode: string;
}

type Key = (entry: Entry) => Promise<string>;

/** Counts the images that parts share: the same file under any name, or another file with the same bytes. Files are read
 *  only where parts have files of the same size. Each part is compared with those before it. */
export async function findOverlaps(parts: readonly ComparedPart[]): Promise<Overlap[]> {
  const limit = pLimit(AT_ONCE);
  const found = await Promise.all(
    parts.flatMap(({ annotations }, part) => annotations.map(({ file }) => limit(() => entryOf(file, part)))),
  );
  const entries = found.filter((entry) => entry !== undefined);
  const same = await groupBy(entries, [({ inode }) => Promise.resolve(inode)]);
  const distinct = [...new Map(entries.map((entry) => [`${entry.part} ${entry.inode}`, entry])).values()];
  const equal = await groupBy(distinct, [
    ({ size }) => Promise.resolve(String(size)),
    ({ file }) => limit(() => headOf(file)),
    ({ file }) => limit(() => hashOf(file)),
  ]);
  const shared = new Map<string, Set<number>>(); // inode → parts that have the picture
  for (const group of [...same, ...equal])
    for (const { inode } of group)
      for (const { part } of group) shared.set(inode, (shared.get(inode) ?? new Set<number>()).add(part));

  return parts.flatMap(({ name }, part) => {
    const own = entries.filter((entry) => entry.part === part);
    return parts.slice(0, part).flatMap((other, j): Overlap[] => {
      const images = own.filter(({ inode }) => shared.get(inode)?.has(j)).length;
      return images === 0 ? [] : [{ part: name, other: other.name, images, of: own.length }];
    });
  });
}

async function entryOf(file: string, part: number): Promise<Entry | undefined> {
  const info = await stat(file, { bigint: true }).catch(() => undefined); // a missing image is reported elsewhere
  return info && { part, file, size: Number(info.size), inode: info.ino === 0n ? file : `${info.dev}:${info.ino}` };
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

/** The first bytes of a file; its name if it cannot be read, so that it equals no other. */
async function headOf(file: string): Promise<string> {
  const handle = await open(file).catch(() => undefined);
  if (!handle) return file;
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(HEAD), 0, HEAD);
    return buffer.toString('latin1', 0, bytesRead);
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

/** The overlap in a sentence. */
export const describeOverlap = ({ part, other, images, of }: Overlap): string =>
  `${images} of the ${of} images of ${part} are also in ${other}`;
