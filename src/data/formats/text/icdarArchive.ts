import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { inflateRawSync } from 'node:zlib';
import type { Entry, ZipFile } from 'yauzl';
import { FinetuneError, type Problem } from '../../../errors.js';

/** A text file of a folder or zip, not yet decoded. */
export interface TextFile {
  /** Name without folders. */
  readonly name: string;
  /** For messages: `submit.zip/res_img_1.txt`. */
  readonly file: string;
  readonly bytes: Uint8Array;
}

/** A page of text has kilobytes. What is bigger is no list of boxes but a mistake or a zip bomb. */
export const limits = { files: 100_000, fileBytes: 16 * 2 ** 20, totalBytes: 512 * 2 ** 20 };

/** Read the .txt files of a folder or a zip (at any depth); other files are left alone.
 *  Throws E_ICDAR_FILE if it cannot be read, E_ICDAR_ZIP for a zip that is broken or has a name that leads out of it,
 *  E_ICDAR_LIMIT for one bigger than `limits`. */
export async function readTextFiles(path: string): Promise<TextFile[]> {
  const entry = await stat(path).catch((error: unknown) => {
    throw broken('E_ICDAR_FILE', path, 'there is no such folder or zip', undefined, error);
  });
  const files = entry.isDirectory() ? await readFolder(path) : await readZip(path);
  return files.sort((a, b) => (a.file < b.file ? -1 : 1));
}

const isText = (path: string): boolean => /\.txt$/i.test(path) && !/(^|\/)(__MACOSX\/|\._)/.test(path);
const baseName = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

async function readFolder(folder: string): Promise<TextFile[]> {
  const names = (await readdir(folder)).filter(isText);
  const budget = createBudget(folder);
  const files: TextFile[] = [];
  for (const name of names) {
    const file = join(folder, name);
    const info = await stat(file);
    if (!info.isFile()) continue;
    budget.spend(file, info.size);
    files.push({ name, file, bytes: await readFile(file) });
  }
  return files;
}

async function readZip(path: string): Promise<TextFile[]> {
  const { default: yauzl } = await import('yauzl');
  const info = await stat(path);
  if (info.size > limits.totalBytes)
    throw broken('E_ICDAR_LIMIT', path, `a zip may have at most ${mega(limits.totalBytes)}`);
  const archive = await readFile(path);
  const zip = await new Promise<ZipFile>((resolve, reject) => {
    yauzl.fromBuffer(archive, { lazyEntries: true }, (error, opened) => {
      if (error) reject(zipError(path, error));
      else resolve(opened);
    });
  });
  const files: TextFile[] = [];
  const budget = createBudget(path);
  if (zip.entryCount > limits.files) throw budget.tooMany(zip.entryCount);
  for (let entry = await nextEntry(zip, path); entry; entry = await nextEntry(zip, path)) {
    if (!isText(entry.fileName)) continue;
    const file = `${path}/${entry.fileName}`;
    budget.spend(file, entry.uncompressedSize);
    try {
      files.push({ name: baseName(entry.fileName), file, bytes: inflate(archive, entry) });
    } catch (error) {
      throw zipError(file, error as Error);
    }
  }
  return files;
}

const zipError = (path: string, cause: Error): FinetuneError => {
  const relative = /^(?:invalid relative path|absolute path|invalid characters in fileName): (.*)$/.exec(cause.message);
  if (relative) return broken('E_ICDAR_ZIP', path, `entry "${relative[1]!}" leads out of the zip`, undefined, cause);
  return broken('E_ICDAR_ZIP', path, `cannot read the zip: ${cause.message}`, 'pack it anew', cause);
};

function nextEntry(zip: ZipFile, path: string): Promise<Entry | undefined> {
  return new Promise((resolve, reject) => {
    const settle = (finish: () => void) => {
      zip.removeAllListeners();
      finish();
    };
    zip.once('entry', (entry: Entry) => settle(() => resolve(entry)));
    zip.once('end', () => settle(() => resolve(undefined)));
    zip.once('error', (error: Error) => settle(() => reject(zipError(path, error))));
    zip.readEntry();
  });
}

const STORED = 0;
const DEFLATED = 8;
/** Fixed part of an entry's own header, and where it has the lengths of the name and the extra field (APPNOTE.TXT 4.3.7). */
const HEADER = { bytes: 30, nameLength: 26, extraLength: 28 };

/** An entry's content; in one go, since a stream for each of a thousand files of a kilobyte takes seconds. A bomb that
 *  declares less than it holds is stopped at the size it declares. */
function inflate(archive: Buffer, entry: Entry): Uint8Array {
  const { relativeOffsetOfLocalHeader: header, compressedSize, uncompressedSize, compressionMethod } = entry;
  if (entry.generalPurposeBitFlag & 1) throw new Error('the entry is encrypted');
  const start =
    header +
    HEADER.bytes +
    archive.readUInt16LE(header + HEADER.nameLength) +
    archive.readUInt16LE(header + HEADER.extraLength);
  const packed = archive.subarray(start, start + compressedSize);
  if (compressionMethod !== STORED && compressionMethod !== DEFLATED)
    throw new Error(`compression method ${compressionMethod} is not known`);
  const bytes =
    compressionMethod === STORED ? packed : inflateRawSync(packed, { maxOutputLength: Math.max(1, uncompressedSize) });
  if (bytes.length !== uncompressedSize)
    throw new Error(`${bytes.length} bytes instead of the ${uncompressedSize} it declares`);
  if (crc32(bytes) !== entry.crc32 >>> 0) throw new Error('its check sum is wrong');
  return bytes;
}

/** CRC-32 of APPNOTE.TXT 4.4.7 (reflected 0x04c11db7), bit by bit; node:zlib has it only from 20.15 on. */
function crc32(bytes: Uint8Array): number {
  let crc = -1;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (-(crc & 1) & 0xedb88320);
  }
  return ~crc >>> 0;
}

function createBudget(path: string) {
  let files = 0;
  let total = 0;
  const tooMany = (count: number) =>
    broken('E_ICDAR_LIMIT', path, `${count} files; at most ${limits.files} are read`, undefined);
  return {
    tooMany,
    spend: (file: string, bytes: number): void => {
      if (++files > limits.files) throw tooMany(files);
      total += bytes;
      if (bytes > limits.fileBytes)
        throw broken('E_ICDAR_LIMIT', file, `${mega(bytes)} of boxes; a file may have ${mega(limits.fileBytes)}`);
      if (total > limits.totalBytes)
        throw broken('E_ICDAR_LIMIT', path, `its files come to more than ${mega(limits.totalBytes)}`);
    },
  };
}

const mega = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MB`;

function broken(code: Problem['code'], file: string, message: string, fix?: string, cause?: unknown): FinetuneError {
  return new FinetuneError({ code, message, where: { file }, ...(fix ? { fix } : {}) }, { cause });
}
