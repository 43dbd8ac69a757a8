/** Names that this package did not choose itself come from URLs, archives, manifests and annotations. The functions here
 *  decide which of them may become paths, for all of src/. They are the same on every system, so that a name that is
 *  accepted on one is accepted on all. */

/** Limits of common file systems, in bytes: a part of a path, and a whole relative path. */
const MAX_NAME = 255;
const MAX_PATH = 1024;
/** Bytes of a shortened name that are left for what is added to it, such as a number. */
const SPARE = 40;

/** The devices of Windows, which have no folder and no ending: "nul.txt" is the device NUL.
 *  https://learn.microsoft.com/windows/win32/fileio/naming-a-file */
const DEVICE = /^(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])\s*(\.|$)/i;
/** Control characters, and those that change the direction in which a terminal writes. */
const CONTROL = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u;

/** Why a file must not get this name, which has no folders; undefined if it may. */
export function unsafeName(name: string): string | undefined {
  if (name === '') return 'it is empty';
  if (name === '.' || name === '..') return 'it means another folder';
  if (/[\\/:]/.test(name)) return 'it contains a separator of paths';
  if (CONTROL.test(name)) return 'it contains a control character';
  if (/\p{Surrogate}/u.test(name)) return 'it is not valid Unicode';
  if (DEVICE.test(name)) return 'Windows reserves it for a device';
  if (/[. ]$/.test(name)) return 'it ends with a dot or a space, which Windows drops';
  if (new TextEncoder().encode(name).length > MAX_NAME) return `it is longer than ${MAX_NAME} bytes`;
  return undefined;
}

/** A name that a file may get on every system, as like the given one as possible: what is refused in it becomes `_`, and
 *  so does what Windows writes into no name. */
export function safeName(name: string): string {
  let safe = name.replace(/[\\/:<>"|?*]|\p{Surrogate}/gu, '_').replace(new RegExp(CONTROL, 'gu'), '_');
  const ending = /\.[^.]{1,9}$/.exec(safe)?.[0] ?? '';
  const size = (text: string): number => new TextEncoder().encode(text).length;
  if (size(safe) > MAX_NAME) {
    const characters = Array.from(safe.slice(0, safe.length - ending.length));
    while (size(characters.join('') + ending) > MAX_NAME - SPARE) characters.pop();
    safe = characters.join('') + ending;
  }
  safe = safe.replace(/[. ]$/, '_');
  return safe === '' || DEVICE.test(safe) ? `_${safe}` : safe;
}

/** Why a file must not get this path, which is relative and has forward slashes; undefined if it may. A path that is
 *  accepted stays below the folder that it is joined to. */
export function unsafePath(path: string): string | undefined {
  if (new TextEncoder().encode(path).length > MAX_PATH) return `it is longer than ${MAX_PATH} bytes`;
  if (leavesFolder(path)) return 'it leads out of its folder';
  for (const part of path.split('/')) {
    const why = unsafeName(part);
    if (why !== undefined) return why;
  }
  return undefined;
}

/** Whether a path leads out of the folder that it is relative to, or is absolute, on any system. This is the weaker
 *  check, for files that are only read and may have names that others chose. */
export function leavesFolder(path: string): boolean {
  return /^([\\/]|[a-z]:)/i.test(path) || path.includes('\0') || path.split(/[\\/]/).includes('..');
}
