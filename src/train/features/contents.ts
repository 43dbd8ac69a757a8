import { createHash } from 'node:crypto';
import { readFileSync, statSync, type BigIntStats } from 'node:fs';

/** Identifies files by their content. */
export interface Contents {
  /** SHA-256 of the file as it is now; undefined where it cannot be read. */
  hash(file: string): string | undefined;
  /** How often the content of a file turned out to have changed. */
  readonly changes: number;
}

/** Milliseconds. The clock of a file system ticks every few milliseconds, FAT's every two seconds: a file that is read
 *  this soon after it was written can change again and keep the same time stamp (git calls such an entry racily clean). */
const SETTLED = 2000;

const stampOf = ({ size, mtimeNs, ctimeNs, ino }: BigIntStats): string => [size, mtimeNs, ctimeNs, ino].join();

/** Reads and hashes a file once, and again when its size, times or inode have changed. Measured on 396 photos of 18 KB:
 *  reading and hashing one takes 0.11 ms, checking its times 0.015 ms, and a frozen EfficientNet-Lite0 18 ms. */
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
        return undefined; // the code that loads its pixels reports what is wrong with it
      }
    },
    get changes() {
      return changes;
    },
  };
}
