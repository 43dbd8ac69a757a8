import { isUtf8 } from 'node:buffer';
import { readdir, realpath, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { isHidden } from '../../data/image/imageFiles.js';
import { FinetuneError } from '../../errors.js';
import { readError } from '../../files/disk.js';

/** A file below a folder. */
export interface FoundFile {
  /** The path for people and programs; what is not UTF-8 in it is replaced. */
  readonly name: string;
  /** The path for the operating system: bytes, if the name is not UTF-8. */
  readonly path: string | Buffer;
  /** The path below the folder, with forward slashes. */
  readonly relative: string;
}

/** A file or a folder that cannot be read. */
export interface Unreadable {
  readonly name: string;
  readonly error: FinetuneError;
}

export interface WalkOptions {
  /** Levels of folders below the first one. */
  readonly depth?: number;
  /** A folder to leave out, as an absolute path. */
  readonly without?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

const inOrderOfNames = new Intl.Collator('en', { numeric: true }); // 2.jpg before 10.jpg

/** The files below a folder in the order of their names, without hidden ones. Symbolic links are followed, and each
 *  folder is visited once, so that links in a circle do no harm. What cannot be read is a result. */
export async function* walk(folder: string, options: WalkOptions = {}): AsyncGenerator<FoundFile | Unreadable> {
  const visited = new Set([await identityOf(folder)]);
  yield* walkInto({ name: folder, path: folder, relative: '' }, options.depth ?? Infinity, visited, options);
}

async function* walkInto(
  folder: FoundFile,
  depth: number,
  visited: Set<string>,
  options: WalkOptions,
): AsyncGenerator<FoundFile | Unreadable> {
  options.signal?.throwIfAborted();
  const entries = await readdir(folder.path, 'buffer').catch((error: unknown) => asError(error));
  if (entries instanceof FinetuneError) {
    yield { name: folder.name, error: entries };
    return;
  }
  const files = entries.map((name) => entryOf(folder, name)).filter(({ relative }) => !isHidden(lastOf(relative)));
  files.sort((a, b) => inOrderOfNames.compare(a.name, b.name) || (a.name < b.name ? -1 : 1));
  for (const file of files) {
    const info = await stat(file.path).catch(() => undefined);
    if (info?.isDirectory()) {
      const identity = await identityOf(file.path);
      if (depth === 0 || visited.has(identity) || resolve(file.name) === options.without) continue;
      visited.add(identity);
      yield* walkInto(file, depth - 1, visited, options);
    } else if (!info || info.isFile()) yield file; // a link that leads nowhere is an image that is missing
  }
}

/** The folder itself, whichever links lead to it. */
const identityOf = async (folder: string | Buffer): Promise<string> =>
  realpath(folder, 'latin1').catch(() => String(folder));

const lastOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

function entryOf(folder: FoundFile, entry: Buffer): FoundFile {
  const last = entry.toString();
  const before = /[\\/]$/.test(folder.name) ? folder.name : `${folder.name}/`;
  const name = before === './' ? last : `${before}${last}`;
  const relative = folder.relative === '' ? last : `${folder.relative}/${last}`;
  const isText = typeof folder.path === 'string' && isUtf8(entry);
  const path = isText ? name : Buffer.concat([Buffer.from(folder.path), Buffer.from('/'), entry]);
  return { name, path, relative };
}

/** An error of the operating system at reading as a FinetuneError. */
export function asError(error: unknown): FinetuneError {
  const read = readError(error);
  if (read instanceof FinetuneError) return read;
  throw error;
}
