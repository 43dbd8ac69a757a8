/** Bytes that are read in parts: an open file, a blob of a browser, an array in memory. */
export interface ByteSource {
  /** What errors call it: a file's path. */
  readonly file: string;
  /** Number of bytes. */
  readonly size: number;
  /** Resolves to exactly `length` bytes, which the caller must not change: they may be a view.
   *  Rejects with a RangeError if the range does not lie inside the source. */
  readonly read: (offset: number, length: number) => Promise<Uint8Array>;
}

/** An array in memory as a source; `file` names it in errors. */
export const bytesInMemory = (bytes: Uint8Array, file: string): ByteSource => {
  const source: ByteSource = {
    file,
    size: bytes.byteLength,
    read: (offset, length) =>
      Promise.resolve().then(() => {
        checkRange(source, offset, length);
        return bytes.subarray(offset, offset + length);
      }),
  };
  return source;
};

/** Throws a RangeError unless the range lies inside the source. Offsets out of a file can be anything up to 2^64, and
 *  Node's file functions throw for such a number outside of any promise. */
export function checkRange({ size }: { readonly size: number }, offset: number, length: number): void {
  const isInside = Number.isSafeInteger(offset) && offset >= 0 && length >= 0 && offset + length <= size;
  if (!isInside) throw new RangeError(`${length} bytes at offset ${offset} do not lie inside the ${size} bytes`);
}
