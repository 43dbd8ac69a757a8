import { open, type FileHandle } from 'node:fs/promises';
import { FinetuneError } from '../../../errors.js';

/** A file inside a tar file. */
export interface TarEntry {
  readonly name: string;
  /** Where its bytes begin. */
  readonly start: number;
  readonly size: number;
}

const BLOCK = 512;
/** Largest header that holds a long name. */
const LONGEST_NAME = 65536;

/** Lists the files of a tar file (POSIX ustar and pax, and GNU's long names), at most `most`. Throws E_LABEL_SYNTAX
 *  where a header is wrong. */
export async function listTar(handle: FileHandle, file: string, most = Infinity): Promise<TarEntry[]> {
  const { size: length } = await handle.stat();
  const entries: TarEntry[] = [];
  const header = Buffer.alloc(BLOCK);
  let longName: string | undefined;
  for (let at = 0; at + BLOCK <= length && entries.length < most;) {
    await handle.read(header, 0, BLOCK, at);
    if (header.every((byte) => byte === 0)) break;
    const fail = (what: string): never => {
      throw new FinetuneError({
        code: 'E_LABEL_SYNTAX',
        message: `not a tar file: ${what} at byte ${at}`,
        where: { file },
      });
    };
    if (checksumOf(header) !== octal(header, 148, 8)) fail('a header has a wrong checksum');
    const size = sizeOf(header) ?? fail('a header has no size');
    const start = at + BLOCK;
    if (start + size > length) fail('a file ends behind the end of the archive');
    const kind = String.fromCharCode(header[156]!);
    if ((kind === 'L' || kind === 'x') && size <= LONGEST_NAME) {
      const content = Buffer.alloc(size);
      await handle.read(content, 0, size, start);
      longName = (kind === 'L' ? textOf(content, 0, size) : paxPath(content)) ?? longName;
    } else if (kind === '0' || kind === '\0') {
      entries.push({ name: longName ?? nameOf(header), start, size });
      longName = undefined;
    } else if (kind !== 'g') longName = undefined;
    at = start + Math.ceil(size / BLOCK) * BLOCK;
  }
  return entries;
}

/** The first files of a tar file; none if it is no tar file. */
export async function peekTar(file: string, most: number): Promise<TarEntry[]> {
  const handle = await open(file).catch(() => undefined);
  if (!handle) return [];
  try {
    return await listTar(handle, file, most);
  } catch (error) {
    if (error instanceof FinetuneError) return [];
    throw error;
  } finally {
    await handle.close();
  }
}

const textOf = (bytes: Buffer, from: number, length: number): string =>
  bytes.toString('utf8', from, from + length).replace(/\0.*$/s, '');

function octal(header: Buffer, from: number, length: number): number | undefined {
  const text = textOf(header, from, length).trim();
  return /^[0-7]+$/.test(text) ? parseInt(text, 8) : undefined;
}

/** A size of 8 GB and more stands as a binary number (GNU). */
function sizeOf(header: Buffer): number | undefined {
  if ((header[124]! & 0x80) === 0) return octal(header, 124, 12);
  const size = Number(header.readBigUInt64BE(128));
  return Number.isSafeInteger(size) ? size : undefined;
}

function checksumOf(header: Buffer): number {
  let sum = 0;
  for (let i = 0; i < BLOCK; i++) sum += i >= 148 && i < 156 ? 32 : header[i]!;
  return sum;
}

function nameOf(header: Buffer): string {
  const [name, prefix] = [textOf(header, 0, 100), textOf(header, 345, 155)];
  return header.toString('latin1', 257, 262) === 'ustar' && prefix !== '' ? `${prefix}/${name}` : name;
}

/** The path of a pax header: lines of `length key=value`. */
const paxPath = (content: Buffer): string | undefined => /^\d+ path=(.*)$/m.exec(content.toString('utf8'))?.[1];
