import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, isAbsolute, join, resolve, sep } from 'node:path';
import { makeFolder } from '../../files/folders.js';
import { writeAtomically } from '../../files/writeAtomically.js';
import { cacheDir } from '../cacheDir.js';

/** Something that is read from files, and kept in the cache as long as the files do not change. */
export interface Scan<T> {
  /** Name of its files in the cache; another name for another meaning of the values. */
  readonly name: string;
  /** Whether a value from the cache can be one. */
  readonly isSound: (value: unknown) => value is T;
  /** Whether a value is worth its place in the cache (default: each). */
  readonly keeps?: (value: T) => boolean;
}

/** Scanned files from which on a folder is worth an entry in the cache. */
export const LEAST_FILES = 1000;
/** Longest text of a file in the cache, since JavaScript cannot hold much longer ones. */
const LONGEST = 400 * 2 ** 20;
/** Milliseconds within which a file may change again without another time: its value is not kept. */
export const TICK = 100;

interface Entry {
  readonly version: Version;
  readonly value: unknown;
}

/** The values of one folder. */
interface Shard {
  readonly folder: string;
  readonly file: string;
  readonly head: string;
  readonly entries: Map<string, Entry>;
  fresh: number;
}

const shards = new Map<string, Shard>();
/** The values that were asked for last: those of a folder are asked for one after the other. */
const latest = new Map<string, Shard>();

/** The value of a file: from the cache if the file has not changed since, otherwise computed and remembered. A value
 *  that is known comes without waiting, since a data set may have a hundred thousand files. */
export function scanned<T>(scan: Scan<T>, file: string, compute: () => Promise<T>): T | Promise<T> {
  const path = isAbsolute(file) ? file : resolve(file);
  const version = versionIn(path);
  if (!version) return compute();
  const cut = path.lastIndexOf(sep);
  const name = path.slice(cut + 1);
  const shard = shardOf(scan.name, path.slice(0, cut));
  const known = shard.entries.get(name);
  if (known && isSame(known.version, version) && scan.isSound(known.value)) return known.value;
  return computed(compute, (value) => {
    if (Date.now() - Math.max(version.modified, version.changed) < TICK || scan.keeps?.(value) === false) return;
    shard.entries.set(name, { version, value });
    shard.fresh++;
  });
}

async function computed<T>(compute: () => Promise<T>, keep: (value: T) => void): Promise<T> {
  const value = await compute();
  keep(value);
  return value;
}

/** What tells versions of a file apart: its size and its times, also that of the last change of any kind, which no
 *  program can set. */
interface Version {
  readonly size: number;
  /** Milliseconds since 1970. */
  readonly modified: number;
  readonly changed: number;
}

const isSame = (a: Version, b: Version): boolean =>
  a.size === b.size && a.modified === b.modified && a.changed === b.changed;

/** The version of a file as a text; undefined if there is no such file. */
export function versionOf(file: string): string | undefined {
  const version = versionIn(file);
  return version && `${version.size} ${version.modified} ${version.changed}`;
}

/** The versions of the files that were looked at while holdVersions was in force; null for a file that is not there. */
const held = new Map<string, Version | null>();
/** The folders that were listed meanwhile. */
const heldFolders = new Set<string>();
let holders = 0;

/** Looks at each file once until the function that is returned is called: a data set is opened in several passes over
 *  its files. */
export function holdVersions(): () => void {
  holders++;
  return () => {
    if (--holders > 0) return;
    held.clear();
    heldFolders.clear();
  };
}

/** Remembers that a reader listed a folder, or asked whether there is one. */
export function noteFolder(folder: string): void {
  if (holders > 0) heldFolders.add(folder);
}

/** The files and folders that were looked at since holdVersions was called. */
export const lookedAt = (): { readonly files: Iterable<string>; readonly folders: Iterable<string> } => ({
  files: held.keys(),
  folders: heldFolders,
});

function versionIn(file: string): Version | undefined {
  const known = held.get(file);
  if (known) return known;
  const version = lookAt(file);
  if (holders > 0) held.set(file, version ?? null);
  return version;
}

function lookAt(file: string): Version | undefined {
  try {
    const stats = statSync(file, { throwIfNoEntry: false });
    if (!stats) return undefined;
    const { size, mtimeMs: modified, ctimeMs: changed } = stats;
    return { size, modified, changed };
  } catch {
    return undefined;
  }
}

/** Writes what was computed since the last time, if it is worth it. Each file is replaced as a whole, so that two
 *  processes at once lose at most what one of them has found. A cache that cannot be written is none. */
export async function saveScans(): Promise<void> {
  const changed = [...shards.values()].filter(({ fresh }) => fresh > 0);
  if (changed.reduce((sum, { fresh }) => sum + fresh, 0) < LEAST_FILES) return;
  for (const shard of changed) {
    shard.fresh = 0;
    const there = namesIn(shard.folder);
    await writeChecked(shard.file, shard.head, columnsOf([...shard.entries].filter(([name]) => there.has(name))));
  }
}

/** Forgets what is in memory, as a new process has. */
export function forgetScans(): void {
  shards.clear();
  latest.clear();
}

/** Reads what writeChecked wrote; undefined if there is nothing, or it is damaged. */
export function readCheckedBytes(file: string, head: string): Buffer | undefined {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch {
    return undefined;
  }
  const end = bytes.indexOf('\n');
  const body = bytes.subarray(end + 1);
  return end > 0 && bytes.toString('utf8', 0, end) === `${head} ${digestOf(body)}` ? body : undefined;
}

/** Reads a text that writeChecked wrote; undefined if there is none, or it is damaged. */
export const readChecked = (file: string, head: string): string | undefined =>
  readCheckedBytes(file, head)?.toString('utf8');

/** Writes a text, or bytes, behind a line with a head and their digest. */
export async function writeChecked(file: string, head: string, body: string | Uint8Array): Promise<void> {
  if (body.length > LONGEST) return;
  const bytes = Buffer.from(body);
  try {
    await makeFolder(dirname(file));
    await writeAtomically(file, [Buffer.from(`${head} ${digestOf(bytes)}\n`), bytes], { isDurable: false });
  } catch {
    return; // the next start takes as long as this one
  }
}

export const digestOf = (text: string | Uint8Array): string =>
  createHash('sha256').update(text).digest('hex').slice(0, 40);

/** The path of a file of scans in the cache. */
export const scanFile = (name: string): string => join(cacheDir(), 'scans', name);

function shardOf(name: string, folder: string): Shard {
  const before = latest.get(name);
  if (before?.folder === folder) return before;
  const key = `${process.env['XDG_CACHE_HOME'] ?? ''}\n${name}\n${folder}`;
  const shard = shards.get(key) ?? openShard(name, folder);
  shards.set(key, shard);
  latest.set(name, shard);
  return shard;
}

function openShard(name: string, folder: string): Shard {
  const file = scanFile(`${digestOf(folder)}.${name}`);
  const head = `tfjs-finetune 2 ${name} of ${JSON.stringify(folder)}`;
  return { folder, file, head, entries: entriesIn(readChecked(file, head)), fresh: 0 };
}

/** Entries as JSON with a list for each field, which is read several times as fast as a list of entries. */
const columnsOf = (entries: readonly (readonly [string, Entry])[]): string =>
  JSON.stringify([
    entries.map(([name]) => name),
    entries.map(([, { version }]) => version.size),
    entries.map(([, { version }]) => version.modified),
    entries.map(([, { version }]) => version.changed),
    entries.map(([, { value }]) => value),
  ]);

/** The entries that columnsOf wrote; the digest says that nobody else did. */
function entriesIn(body: string | undefined): Map<string, Entry> {
  const entries = new Map<string, Entry>();
  if (body === undefined) return entries;
  const columns = JSON.parse(body) as [string[], number[], number[], number[], unknown[]];
  const [names, sizes, modified, changed, values] = columns;
  for (const [i, name] of names.entries())
    entries.set(name, {
      version: { size: sizes[i]!, modified: modified[i]!, changed: changed[i]! },
      value: values[i],
    });
  return entries;
}

const namesIn = (folder: string): ReadonlySet<string> => {
  try {
    return new Set(readdirSync(folder));
  } catch {
    return new Set();
  }
};
