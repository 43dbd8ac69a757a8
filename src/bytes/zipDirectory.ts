import { leavesFolder } from '../safePath.js';
import type { ByteSource } from './byteSource.js';

/** A zip archive that is broken or hostile. */
export class ZipError extends Error {
  override readonly name = 'ZipError';
  constructor(
    message: string,
    /** The entry's name, if the fault is that it leads out of the archive. */
    readonly outside?: string,
  ) {
    super(message);
  }
}

/** Where the central directory lies. */
export interface ZipDirectory {
  /** Number of entries that the archive announces. */
  readonly count: number;
  readonly start: number;
  readonly end: number;
}

/** One file or folder of an archive, as the central directory describes it. */
export interface ZipEntry {
  /** With forward slashes; a folder's ends with one. */
  readonly path: string;
  readonly isEncrypted: boolean;
  /** 0: stored, 8: deflated. */
  readonly method: number;
  readonly crc32: number;
  readonly packedSize: number;
  readonly size: number;
  /** Where the entry's own header lies. */
  readonly headerOffset: number;
}

// The records of APPNOTE.TXT 6.3.10, 4.3.12 to 4.3.16: signature, length of the fixed part, offsets of the fields.
// https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
const END = { signature: 0x06054b50, bytes: 22, disk: 4, count: 10, start: 16, commentLength: 20 };
const MAX_COMMENT = 0xffff;
const LOCATOR64 = { signature: 0x07064b50, bytes: 20, end64: 8 };
const END64 = { signature: 0x06064b50, bytes: 56, disk: 16, count: 32, start: 48 };
const ENTRY = {
  signature: 0x02014b50,
  bytes: 46,
  flags: 8,
  method: 10,
  crc32: 16,
  packedSize: 20,
  size: 24,
  nameLength: 28,
  extraLength: 30,
  commentLength: 32,
  headerOffset: 42,
};
/** A 32-bit field with this value stands for the 64-bit one in the extra field ZIP64. */
const IN_ZIP64 = 0xffffffff;
const EXTRA_ZIP64 = 1;
const FLAG = { encrypted: 1, strongEncryption: 0x40, utf8: 0x800 };
/** A directory of 100,000 entries has some 10 MB. */
const MAX_DIRECTORY_BYTES = 256 * 2 ** 20;

/** Finds the central directory by the records at the end of the archive. Throws ZipError. */
export async function findZipDirectory(source: ByteSource): Promise<ZipDirectory> {
  const tailLength = Math.min(source.size, LOCATOR64.bytes + END.bytes + MAX_COMMENT);
  const tail = viewOf(await source.read(source.size - tailLength, tailLength));
  let at = tailLength - END.bytes;
  while (at >= 0 && u32(tail, at) !== END.signature) at--;
  if (at < 0) throw new ZipError('there is no end record: the file is no zip or cut short');
  const commentLength = u16(tail, at + END.commentLength);
  const rest = tailLength - at - END.bytes;
  if (commentLength !== rest)
    throw new ZipError(`the end record announces ${commentLength} bytes of comment, not ${rest}`);

  const endOffset = source.size - tailLength + at;
  const locator = at - LOCATOR64.bytes;
  const isZip64 = locator >= 0 && u32(tail, locator) === LOCATOR64.signature;
  const found = isZip64
    ? await readEnd64(source, u64(tail, locator + LOCATOR64.end64), endOffset - LOCATOR64.bytes)
    : readEnd(tail, at, endOffset);
  if (found.disk !== 0) throw new ZipError(`the archive is split into parts, and this is part ${found.disk}`);
  if (found.start > found.end) {
    throw new ZipError(`the directory should start at byte ${found.start}, behind its end at ${found.end}`);
  }
  if (found.count * ENTRY.bytes > found.end - found.start) {
    throw new ZipError(`${found.count} entries do not fit into a directory of ${found.end - found.start} bytes`);
  }
  return found;
}

const readEnd = (tail: DataView, at: number, end: number) => ({
  count: u16(tail, at + END.count),
  start: u32(tail, at + END.start),
  end,
  disk: u16(tail, at + END.disk),
});

async function readEnd64(source: ByteSource, offset: number, limit: number) {
  if (offset + END64.bytes > limit) throw new ZipError(`the zip64 end record cannot lie at byte ${offset}`);
  const record = viewOf(await source.read(offset, END64.bytes));
  if (u32(record, 0) !== END64.signature) throw new ZipError(`there is no zip64 end record at byte ${offset}`);
  const [count, start] = [u64(record, END64.count), u64(record, END64.start)];
  return { count, start, end: offset, disk: u32(record, END64.disk) };
}

/** The entries of a directory in its order. A name that leads out of the archive is refused. Throws ZipError. */
export async function readZipEntries(source: ByteSource, { count, start, end }: ZipDirectory): Promise<ZipEntry[]> {
  const bytes = await source.read(start, Math.min(end - start, MAX_DIRECTORY_BYTES));
  const entries: ZipEntry[] = [];
  for (let i = 0, at = 0; i < count; i++) {
    const { entry, next } = parseEntry(bytes, at);
    entries.push(entry);
    at = next;
  }
  return entries;
}

function parseEntry(bytes: Uint8Array, at: number): { entry: ZipEntry; next: number } {
  const view = viewOf(bytes);
  const need = (end: number): void => {
    if (end > bytes.byteLength) throw new ZipError('the directory is cut short');
  };
  need(at + ENTRY.bytes);
  if (u32(view, at) !== ENTRY.signature) throw new ZipError(`there is no entry at byte ${at} of the directory`);
  const nameStart = at + ENTRY.bytes;
  const extraStart = nameStart + u16(view, at + ENTRY.nameLength);
  const commentStart = extraStart + u16(view, at + ENTRY.extraLength);
  const next = commentStart + u16(view, at + ENTRY.commentLength);
  need(next);
  const flags = u16(view, at + ENTRY.flags);
  if (flags & FLAG.strongEncryption) throw new ZipError('the archive is encrypted');
  const path = decodeName(bytes.subarray(nameStart, extraStart), (flags & FLAG.utf8) !== 0);
  if (leavesFolder(path)) throw new ZipError(`entry "${path}" leads out of the archive`, path);

  const method = u16(view, at + ENTRY.method);
  const zip64 = findZip64(viewOf(bytes.subarray(extraStart, commentStart)));
  const large = (offset: number): number => {
    const value = u32(view, at + offset);
    if (value !== IN_ZIP64 || !zip64) return value;
    const found = zip64.shift();
    if (found === undefined) throw new ZipError(`the extra field ZIP64 of "${path}" lacks a size or an offset`);
    return found;
  };
  // The extra field has the sizes and the offset in this order, and only those that are IN_ZIP64.
  const [size, packedSize, headerOffset] = [large(ENTRY.size), large(ENTRY.packedSize), large(ENTRY.headerOffset)];
  const isEncrypted = (flags & FLAG.encrypted) !== 0;
  if (method === 0 && !isEncrypted && packedSize !== size) {
    throw new ZipError(`"${path}" is stored in ${packedSize} bytes, but has ${size}`);
  }
  const entry = { path, isEncrypted, method, crc32: u32(view, at + ENTRY.crc32), packedSize, size, headerOffset };
  return { entry, next };
}

/** The 64-bit numbers of the extra field ZIP64; undefined if there is no such field. */
function findZip64(extra: DataView): number[] | undefined {
  let at = 0;
  while (at + 4 <= extra.byteLength) {
    const [id, length] = [u16(extra, at), u16(extra, at + 2)];
    const start = at + 4;
    at = start + length;
    if (at > extra.byteLength) throw new ZipError('an extra field is longer than all of them');
    if (id === EXTRA_ZIP64) return Array.from({ length: Math.floor(length / 8) }, (_, i) => u64(extra, start + 8 * i));
  }
  return undefined;
}

/** Many programs write UTF-8 without setting its flag. A name that is not UTF-8 is decoded byte by byte, so that different
 *  names stay different. */
function decodeName(bytes: Uint8Array, isUtf8: boolean): string {
  let name: string;
  try {
    name = new TextDecoder('utf-8', { fatal: !isUtf8, ignoreBOM: true }).decode(bytes);
  } catch {
    name = Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
  }
  return name.replaceAll('\\', '/');
}

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
const u16 = (view: DataView, at: number): number => view.getUint16(at, true);
const u32 = (view: DataView, at: number): number => view.getUint32(at, true);
/** Not exact beyond 2^53, where no file reaches. */
const u64 = (view: DataView, at: number): number => Number(view.getBigUint64(at, true));
