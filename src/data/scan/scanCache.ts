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
const TICK = 100;

interface Entry {
  readonly stamp: string;
  readonly json: string;
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

/** The value of a file: from the cache if the file has not changed since, otherwise computed and remembered. A value
 *  that is known comes without waiting, since a data set may have a hundred thousand files. */
export function scanned<T>(scan: Scan<T>, file: string, compute: () => Promise<T>): T | Promise<T> {
  const path = isAbsolute(file) ? file : resolve(file);
  const before = versionIn(path);
  if (!before) return compute();
  const cut = path.lastIndexOf(sep);
  const name = path.slice(cut + 1);
  const shard = shardOf(scan.name, path.slice(0, cut));
  const { stamp } = before;
  const known = shard.entries.get(name);
  if (known?.stamp === stamp) {
    const value = parse(known.json);
    if (scan.isSound(value)) return value;
  }
  return computed(compute, (value) => {
    if (Date.now() - before.changed < TICK || scan.keeps?.(value) === false) return;
    shard.entries.set(name, { stamp, json: JSON.stringify(value) });
    shard.fresh++;
  });
}

async function computed<T>(compute: () => Promise<T>, keep: (value: T) => void): Promise<T> {
  const value = await compute();
  keep(value);
  return value;
}

/** What tells versions of a file apart: its size and its times, also that of the last change of any kind, which no
 *  program can set. Undefined if there is no such file. */
export const versionOf = (file: string): string | undefined => versionIn(file)?.stamp;

interface Version {
  readonly stamp: string;
  /** Milliseconds since 1970 of its last change. */
  readonly changed: number;
}

/** The versions of the files that were looked at while holdVersions was in force. */
const held = new Map<string, Version>();
let holders = 0;

/** Looks at each file once until the function that is returned is called: a data set is opened in several passes over
 *  its files. */
export function holdVersions(): () => void {
  holders++;
  return () => {
    if (--holders === 0) held.clear();
  };
}

function versionIn(file: string): Version | undefined {
  const known = held.get(file);
  if (known) return known;
  const version = lookAt(file);
  if (version && holders > 0) held.set(file, version);
  return version;
}

function lookAt(file: string): Version | undefined {
  try {
    const stats = statSync(file, { throwIfNoEntry: false });
    if (!stats) return undefined;
    const { size, mtimeMs, ctimeMs } = stats;
    return { stamp: `${size} ${mtimeMs} ${ctimeMs}`, changed: Math.max(mtimeMs, ctimeMs) };
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
    const lines = [...shard.entries].flatMap(([name, { stamp, json }]) =>
      there.has(name) ? [`${JSON.stringify(name)}\t${stamp}\t${json}`] : [],
    );
    await writeChecked(shard.file, shard.head, lines.join('\n'));
  }
}

/** Forgets what is in memory, as a new process has. */
export function forgetScans(): void {
  shards.clear();
}

/** Reads a text that writeChecked wrote; undefined if there is none, or it is damaged. */
export function readChecked(file: string, head: string): string | undefined {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
  const end = text.indexOf('\n');
  const body = text.slice(end + 1);
  return end > 0 && text.slice(0, end) === `${head} ${digestOf(body)}` ? body : undefined;
}

/** Writes a text behind a line with a head and the text's digest. */
export async function writeChecked(file: string, head: string, body: string): Promise<void> {
  if (body.length > LONGEST) return;
  try {
    await makeFolder(dirname(file));
    await writeAtomically(file, [Buffer.from(`${head} ${digestOf(body)}\n${body}`)], { isDurable: false });
  } catch {
    return; // the next start takes as long as this one
  }
}

export const digestOf = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 40);

/** The path of a file of scans in the cache. */
export const scanFile = (name: string): string => join(cacheDir(), 'scans', name);

function shardOf(name: string, folder: string): Shard {
  const key = `${process.env['XDG_CACHE_HOME'] ?? ''}\n${name}\n${folder}`;
  const known = shards.get(key);
  if (known) return known;
  const file = scanFile(`${digestOf(folder)}.${name}`);
  const head = `tfjs-finetune ${name} of ${JSON.stringify(folder)}`;
  const shard: Shard = { folder, file, head, entries: entriesIn(readChecked(file, head) ?? ''), fresh: 0 };
  shards.set(key, shard);
  return shard;
}

function entriesIn(body: string): Map<string, Entry> {
  const entries = new Map<string, Entry>();
  for (const line of body.split('\n')) {
    const [name, stamp, json] = line.split('\t');
    const text = name === undefined ? undefined : parse(name);
    if (typeof text === 'string' && stamp !== undefined && json !== undefined) entries.set(text, { stamp, json });
  }
  return entries;
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

const namesIn = (folder: string): ReadonlySet<string> => {
  try {
    return new Set(readdirSync(folder));
  } catch {
    return new Set();
  }
};
