import { posix } from 'node:path';

/** How a name in an annotation file was changed to be read as a path. The texts complete "its name has …". */
export type Change =
  | 'backslashes'
  | 'percent-encoded characters'
  | 'a URL'
  | 'an absolute path'
  | 'a prefix'
  | 'spaces around it'
  | 'other capitals'
  | 'another extension';

/** One way to read a name as a path. */
export interface Reading {
  /** Slash-separated, without `.` and, except at its start, without `..`. */
  readonly path: string;
  readonly isAbsolute: boolean;
  readonly changes: readonly Change[];
  /** How much of the name the reading keeps: the number of its last folders and file names, and a half less where the
   *  beginning of the file's name is left out. */
  readonly kept: number;
  /** The beginning of the file's name is left out. */
  readonly isShort: boolean;
}

type Form = Pick<Reading, 'path' | 'changes'> & { readonly isShort?: boolean };

/** Every way to read a name as a path, the name as it stands among them. Backslashes become slashes, percent-encoded
 *  characters are decoded, the host and the query of a URL and the prefixes of Label Studio (`/data/local-files/?d=`, eight
 *  hexadecimal digits before the file's name) are removed, and leading folders are left out one by one. */
export function readingsOf(name: string): Reading[] {
  const forms = CHANGES.reduce<readonly Form[]>(
    (known, change) => [...known, ...known.flatMap((form) => change(form) ?? [])],
    [{ path: name, changes: [] }],
  );
  return forms.flatMap(suffixesOf);
}

const CHANGES: readonly ((form: Form) => Form | undefined)[] = [
  ({ path, changes }) => {
    const trimmed = path.trim();
    return trimmed === path ? undefined : { path: trimmed, changes: [...changes, 'spaces around it'] };
  },
  ({ path, changes }) => {
    const rest = /^[a-z][a-z\d+.-]+:\/\/[^/]*(\/[^?#]*)/i.exec(path)?.[1];
    return rest === undefined ? undefined : { path: rest, changes: [...changes, 'a URL'] };
  },
  ({ path, changes }) => {
    const local = /[?&]d=([^&]+)/.exec(path)?.[1];
    return local === undefined ? undefined : { path: local, changes: [...changes, 'a prefix'] };
  },
  ({ path, changes }) => {
    const decoded = /%[\da-f]{2}/i.test(path) ? decodePercent(path) : undefined;
    return decoded === undefined ? undefined : { path: decoded, changes: [...changes, 'percent-encoded characters'] };
  },
  ({ path, changes }) =>
    path.includes('\\') ? { path: path.replaceAll('\\', '/'), changes: [...changes, 'backslashes'] } : undefined,
  ({ path, changes }) => {
    const plain = path.replace(/(^|\/)[\da-f]{8}-([^/]+)$/i, '$1$2');
    return plain === path ? undefined : { path: plain, changes: [...changes, 'a prefix'], isShort: true };
  },
];

function decodePercent(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

function suffixesOf({ path: written, changes, isShort = false }: Form): Reading[] {
  const path = posix.normalize(written);
  const isAbsolute = path.startsWith('/') || /^[a-z]:\//i.test(path);
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.length === 0 || path.includes('\0')) return [];
  const lost = isShort ? 0.5 : 0;
  const whole: Reading = { path, isAbsolute, changes, kept: parts.length - lost, isShort };
  const first = parts.findIndex((part) => part !== '..');
  const change = isAbsolute ? 'an absolute path' : 'a prefix';
  const cuts = parts.map((_, cut) => cut).slice(isAbsolute ? 0 : Math.max(first, 1));
  const shorter = cuts.slice(-MOST_FOLDERS).map((cut): Reading => ({
    path: parts.slice(cut).join('/'),
    isAbsolute: false,
    changes: [...changes, change],
    kept: parts.length - cut - lost,
    isShort,
  }));
  return [whole, ...shorter];
}

/** Maximum number of folders that a shortened path keeps. */
const MOST_FOLDERS = 16;
