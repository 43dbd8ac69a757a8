import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { bytesInMemory } from '../../../bytes/byteSource.js';
import { readZipEntry } from '../../../bytes/zip.js';
import { findZipDirectory, readZipEntries, ZipError } from '../../../bytes/zipDirectory.js';
import { FinetuneError, type Problem } from '../../../errors.js';
import { decodeText, decodeXml } from '../decodeText.js';
import { linesOfArt } from './artJson.js';
import { linesOfXml } from './ctw1500.js';

/** A text file of a folder or zip, not yet decoded. */
export interface TextFile {
  /** Name without folders. */
  readonly name: string;
  /** Its place, for messages: `submit.zip/res_img_1.txt`. */
  readonly file: string;
  readonly bytes: Uint8Array;
}

/** Lists of boxes have kilobytes; larger files are a mistake or a zip bomb. */
export const limits = { files: 100_000, fileBytes: 16 * 2 ** 20, totalBytes: 512 * 2 ** 20 };

/** Read the .txt files of a folder or a zip (at any depth), or its .xml files if it has no other; other files are
 *  ignored. A JSON file has the texts of many images. XML and JSON are returned as lines of text.
 *  Throws E_ICDAR_FILE if it cannot be read, E_ICDAR_ZIP for a zip that is broken or has an entry whose path leads out
 *  of it, E_ICDAR_LIMIT for more than `limits`, E_ENCODING. */
export async function readTextFiles(path: string): Promise<TextFile[]> {
  const entry = await stat(path).catch((error: unknown) => {
    throw broken('E_ICDAR_FILE', path, 'there is no such folder or zip', undefined, error);
  });
  if (entry.isFile() && /\.json$/i.test(path)) return readJson(path, entry.size);
  const files = entry.isDirectory() ? await readFolder(path) : await readZip(path);
  return files.map(asText).sort((a, b) => (a.file < b.file ? -1 : 1));
}

/** The names of the text files among all names. */
function textsOf(names: readonly string[]): string[] {
  const own = names.filter((name) => !/(^|\/)(__MACOSX\/|\._)/.test(name));
  const texts = own.filter((name) => /\.txt$/i.test(name));
  return texts.length > 0 ? texts : own.filter((name) => /\.xml$/i.test(name));
}

const encode = (lines: readonly string[]): Uint8Array => new TextEncoder().encode(lines.join('\n'));

const asText = (one: TextFile): TextFile =>
  /\.xml$/i.test(one.name) ? { ...one, bytes: encode(linesOfXml(decodeXml(one.bytes, one.file), one.file)) } : one;

async function readJson(path: string, size: number): Promise<TextFile[]> {
  if (size > limits.totalBytes)
    throw broken('E_ICDAR_LIMIT', path, `a JSON file may have at most ${mega(limits.totalBytes)}`);
  const images = linesOfArt(decodeText(await readFile(path), path), path);
  return images.map(({ name, lines }) => ({ name, file: `${path}/${name}`, bytes: encode(lines) }));
}

const baseName = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

async function readFolder(folder: string): Promise<TextFile[]> {
  const names = textsOf(await readdir(folder));
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
  const info = await stat(path);
  if (info.size > limits.totalBytes)
    throw broken('E_ICDAR_LIMIT', path, `a zip may have at most ${mega(limits.totalBytes)}`);
  const archive = bytesInMemory(await readFile(path), path);
  const budget = createBudget(path);
  const directory = await findZipDirectory(archive).catch((error: unknown) => {
    throw zipError(path, error as Error);
  });
  if (directory.count > limits.files) throw budget.tooMany(directory.count);
  const entries = await readZipEntries(archive, directory).catch((error: unknown) => {
    throw zipError(path, error as Error);
  });
  const files: TextFile[] = [];
  const texts = new Set(textsOf(entries.map((entry) => entry.path)));
  for (const entry of entries.filter((one) => texts.has(one.path))) {
    const file = `${path}/${entry.path}`;
    budget.spend(file, entry.size);
    try {
      const bytes = await readZipEntry(archive, entry);
      if (crc32(bytes) !== entry.crc32) throw new Error('its check sum is wrong');
      files.push({ name: baseName(entry.path), file, bytes });
    } catch (error) {
      throw zipError(file, error as Error);
    }
  }
  return files;
}

const zipError = (path: string, cause: Error): FinetuneError => {
  const outside = cause instanceof ZipError ? cause.outside : undefined;
  if (outside !== undefined)
    return broken('E_ICDAR_ZIP', path, `entry "${outside}" leads out of the zip`, undefined, cause);
  return broken('E_ICDAR_ZIP', path, `cannot read the zip: ${cause.message}`, 'create the zip again', cause);
};

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
        throw broken(
          'E_ICDAR_LIMIT',
          file,
          `${mega(bytes)} of boxes; a file may have at most ${mega(limits.fileBytes)}`,
        );
      if (total > limits.totalBytes)
        throw broken('E_ICDAR_LIMIT', path, `its files have more than ${mega(limits.totalBytes)}`);
    },
  };
}

const mega = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MB`;

function broken(code: Problem['code'], file: string, message: string, fix?: string, cause?: unknown): FinetuneError {
  return new FinetuneError({ code, message, where: { file }, ...(fix ? { fix } : {}) }, { cause });
}
