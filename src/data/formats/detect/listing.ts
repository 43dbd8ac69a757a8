import { open, readdir, readFile, realpath, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { FinetuneError } from '../../../errors.js';
import { IMAGE_EXTENSION, isHidden } from '../../image/imageFiles.js';
import { decodeText } from '../decodeText.js';

/** The files of a folder and its subfolders, which the layouts look at to recognise themselves. */
export interface Listing {
  /** Absolute path of the folder. */
  readonly root: string;
  /** Paths of all visible files below it, with forward slashes, sorted. */
  readonly files: readonly string[];
  /** Those of `files` that are images. */
  readonly images: readonly string[];
  /** The beginning of a file as text, and its end where the file is longer than that; '' if it is no text. */
  sample(path: string): Promise<string>;
  /** A whole file as text; '' if it is no text. */
  text(path: string): Promise<string>;
}

/** Most folders inside each other that are looked at. */
const MOST_LEVELS = 12;
/** Bytes of a sample's beginning and of its end. */
const HEAD = 1 << 17;
const TAIL = 1 << 14;

/** Lists a folder. Throws E_FOLDER_ROOT if there is no such folder. */
export async function listFiles(folder: string): Promise<Listing> {
  const root = resolve(folder);
  const entry = await stat(root).catch(() => undefined);
  if (!entry?.isDirectory()) {
    const message = entry ? `"${folder}" is not a folder` : `there is no folder "${folder}"`;
    throw new FinetuneError({ code: 'E_FOLDER_ROOT', message, where: { file: root } });
  }
  const files = (await filesBelow(root, '', [], 0)).sort();
  const samples = new Map<string, Promise<string>>();
  return {
    root,
    files,
    images: files.filter((file) => IMAGE_EXTENSION.test(file)),
    sample: (path) => {
      const known = samples.get(path) ?? readSample(join(root, path));
      samples.set(path, known);
      return known;
    },
    text: async (path) => asText(await readFile(join(root, path)).catch(() => new Uint8Array()), path),
  };
}

/** Links to folders are followed, except to one that is being listed. */
async function filesBelow(dir: string, prefix: string, above: readonly string[], level: number): Promise<string[]> {
  const real = await realpath(dir).catch(() => dir);
  if (above.includes(real) || level > MOST_LEVELS) return [];
  const entries = await readdir(dir, { withFileTypes: true }).catch(() => []); // what cannot be listed has no labels for us
  const files: string[] = [];
  for (const entry of entries) {
    if (isHidden(entry.name)) continue;
    const path = prefix + entry.name;
    const target = entry.isSymbolicLink() ? await stat(join(dir, entry.name)).catch(() => entry) : entry;
    if (!target.isDirectory()) files.push(path);
    else
      for (const file of await filesBelow(join(dir, entry.name), `${path}/`, [...above, real], level + 1))
        files.push(file);
  }
  return files;
}

async function readSample(file: string): Promise<string> {
  const handle = await open(file).catch(() => undefined);
  if (!handle) return '';
  try {
    const { size } = await handle.stat();
    const read = async (from: number, length: number): Promise<string> => {
      const bytes = Buffer.alloc(Math.max(0, Math.min(length, size - from)));
      await handle.read(bytes, 0, bytes.length, from);
      return asText(bytes, file);
    };
    const head = await read(0, HEAD);
    return size <= HEAD ? head : `${head}\n${await read(Math.max(HEAD, size - TAIL), TAIL)}`;
  } catch {
    return ''; // a file that cannot be read is no evidence of any layout
  } finally {
    await handle.close();
  }
}

/** A sample may begin and end inside a character, so what is not UTF-16 is decoded leniently. */
function asText(bytes: Uint8Array, file: string): string {
  const isWide =
    bytes.includes(0) || (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
  if (isWide) {
    try {
      return decodeText(bytes.subarray(0, bytes.length - (bytes.length % 2)), file);
    } catch {
      return '';
    }
  }
  return new TextDecoder('utf-8').decode(bytes);
}
