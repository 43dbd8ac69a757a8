import { closeSync, openSync, writeSync } from 'node:fs';
import { onDiskSync } from './disk.js';

/** A file that grows. */
export interface Appending {
  /** The operating system has the content when the call returns, so that a killed process loses none of it. Throws
   *  E_DISK_…. */
  write(content: string | Uint8Array): void;
  close(): void;
}

/** Opens a file to write at its end; with `isNew` it must not exist. Throws E_DISK_…. */
export function appendTo(file: string, { isNew = false } = {}): Appending {
  const descriptor = onDiskSync(file, () => openSync(file, isNew ? 'wx' : 'a'));
  return {
    write(content) {
      const bytes = Buffer.from(content as Uint8Array); // of a string, its UTF-8
      onDiskSync(file, () => {
        for (let done = 0; done < bytes.length;) done += writeSync(descriptor, bytes, done);
      });
    },
    close: () => closeSync(descriptor),
  };
}
