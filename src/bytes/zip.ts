import { Inflate, inflateSync } from 'fflate';
import type { ByteSource } from './byteSource.js';
import { ZipError, type ZipEntry } from './zipDirectory.js';

const [STORED, DEFLATED] = [0, 8];
/** The header before an entry's content (APPNOTE.TXT 4.3.7): its fixed part, then the name and the extra field. */
const HEADER = { signature: 0x04034b50, bytes: 30, nameLength: 26, extraLength: 28 };
/** Bytes that are read at a time. */
const READ_STEP = 2 ** 20;
/** Bytes that are inflated at a time: a thousand times as many may come out. */
const INFLATE_STEP = 2 ** 15;

export const isDeflated = ({ method }: ZipEntry): boolean => method === DEFLATED;

/** An entry's content as a whole. Throws ZipError, also if it does not have the size that the directory announces. */
export async function readZipEntry(source: ByteSource, entry: ZipEntry): Promise<Uint8Array> {
  const start = await findContent(source, entry);
  if (!isDeflated(entry)) return source.read(start, entry.packedSize);
  if (entry.packedSize <= INFLATE_STEP)
    return checkSize(inflateSync(await source.read(start, entry.packedSize)), entry);
  const content = new Uint8Array(entry.size);
  let done = 0;
  for await (const piece of inflate(source, start, entry)) {
    content.set(piece, done);
    done += piece.byteLength;
  }
  return content;
}

/** An entry's content as it stands in the archive, in pieces of at most a megabyte, for content that should not be in
 *  memory at once. Throws ZipError. */
export async function* streamPacked(source: ByteSource, entry: ZipEntry): AsyncGenerator<Uint8Array> {
  yield* readInSteps(source, await findContent(source, entry), entry);
}

/** Where the content starts, once it is sure that it lies inside the archive and can be read. */
async function findContent(source: ByteSource, entry: ZipEntry): Promise<number> {
  const { headerOffset, packedSize, method } = entry;
  if (entry.isEncrypted) throw new ZipError('the entry is encrypted');
  if (method !== STORED && method !== DEFLATED) throw new ZipError(`compression method ${method} is not known`);
  if (headerOffset + HEADER.bytes > source.size) {
    throw new ZipError(`the entry should start at byte ${headerOffset} of ${source.size}`);
  }
  const bytes = await source.read(headerOffset, HEADER.bytes);
  const header = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (header.getUint32(0, true) !== HEADER.signature) throw new ZipError(`no entry starts at byte ${headerOffset}`);
  const names = header.getUint16(HEADER.nameLength, true) + header.getUint16(HEADER.extraLength, true);
  const start = headerOffset + HEADER.bytes + names;
  if (start + packedSize > source.size) {
    throw new ZipError(`the entry should end at byte ${start + packedSize}, the archive ends at ${source.size}`);
  }
  return start;
}

async function* readInSteps(source: ByteSource, start: number, { packedSize }: ZipEntry): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < packedSize; at += READ_STEP) {
    yield await source.read(start + at, Math.min(READ_STEP, packedSize - at));
  }
}

function checkSize(content: Uint8Array, { size }: ZipEntry): Uint8Array {
  if (content.byteLength === size) return content;
  throw new ZipError(`it holds ${content.byteLength} bytes instead of the ${size} it announces`);
}

/** An entry that holds more than it announces is stopped at the announced size, however much would follow. */
async function* inflate(source: ByteSource, start: number, entry: ZipEntry): AsyncGenerator<Uint8Array> {
  const inflated: Uint8Array[] = [];
  const inflater = new Inflate((piece) => inflated.push(piece));
  let [packed, done] = [0, 0];
  for await (const bytes of readInSteps(source, start, entry)) {
    for (let at = 0; at < bytes.byteLength; at += INFLATE_STEP) {
      const step = bytes.subarray(at, at + INFLATE_STEP);
      packed += step.byteLength;
      inflater.push(step, packed === entry.packedSize);
      for (const piece of inflated.splice(0)) {
        done += piece.byteLength;
        if (done > entry.size) throw new ZipError(`it holds more than the ${entry.size} bytes it announces`);
        yield piece;
      }
    }
  }
  if (done !== entry.size) throw new ZipError(`it holds ${done} bytes instead of the ${entry.size} it announces`);
}
