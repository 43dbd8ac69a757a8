import { createHash } from 'node:crypto';
import { readFileSync, statSync, type BigIntStats } from 'node:fs';

/** Which bytes files hold. */
export interface Contents {
  /** SHA-256 of the file as it is now; undefined where it cannot be read. */
  hash(file: string): string | undefined;
  /** How often a file was found to have other bytes than before. */
  readonly changes: number;
}

/** A file system's clock ticks every few milliseconds, FAT's every two seconds: a file that was written so shortly before it was read
 *  may be written again without another time (git calls such an entry racily clean). */
const SETTLED = 2000;

const stampOf = ({ size, mtimeNs, ctimeNs, ino }: BigIntStats): string => [size, mtimeNs, ctimeNs, ino].join();

/** Reads a file once, and again when its size, times or inode are others than they were.
 *  Measured on 396 photos of 18 KB: 0.11 ms to read and hash one, 0.015 ms to look at its times; a frozen EfficientNet-Lite0 takes 18 ms for it. */
export function fileContents(): Contents {
  const known = new Map<string, { readonly stamp: string; readonly hash: string; readonly settled: boolean }>();
  let changes = 0;
  const read = (file: string): string => {
    const stats = statSync(file, { bigint: true });
    const stamp = stampOf(stats);
    const before = known.get(file);
    if (before?.settled && before.stamp === stamp) return before.hash;
    const hash = createHash('sha256').update(readFileSync(file)).digest('hex');
    if (before && before.hash !== hash) changes++;
    known.set(file, { stamp, hash, settled: Date.now() - Number(stats.ctimeMs) > SETTLED });
    return hash;
  };
  return {
    hash(file) {
      try {
        return read(file);
      } catch {
        return undefined; // whoever wants its pixels will say what is wrong with it
      }
    },
    get changes() {
      return changes;
    },
  };
}
