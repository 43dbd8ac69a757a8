import { createHash } from 'node:crypto';
import { readdirSync, realpathSync, statSync } from 'node:fs';
import { join, sep } from 'node:path';

/** All files below a folder, by their versions. */
export interface TreeVersion {
  /** Changes when a file is added, removed, renamed or changed. */
  readonly digest: string;
  readonly files: number;
  /** When the last of them changed, in milliseconds since 1970. */
  readonly newest: number;
}

/** Most folders inside each other that are looked at; listFiles looks at fewer. */
const MOST_LEVELS = 16;

/** Looks at every file and folder below a folder, hidden ones too. Links are followed, except to a folder that is being
 *  listed. Undefined if something cannot be looked at, or lies too deep. */
export function treeVersion(root: string): TreeVersion | undefined {
  const hash = createHash('sha256');
  let [files, newest] = [0, 0];
  const look = (folder: string, above: readonly string[]): boolean => {
    const real = realpathSync(folder);
    if (above.includes(real)) return true;
    if (above.length >= MOST_LEVELS) return false;
    const lines = [`${JSON.stringify(folder.slice(root.length))}:`];
    const inside: string[] = [];
    for (const name of readdirSync(folder)) {
      const path = folder + sep + name;
      const stats = statSync(path, { throwIfNoEntry: false }); // undefined for a link to nothing
      if (stats?.isDirectory()) inside.push(path);
      else files++;
      const { size, mtimeMs, ctimeMs } = stats ?? { size: -1, mtimeMs: 0, ctimeMs: 0 };
      lines.push(stats?.isDirectory() ? `${name}${sep}` : `${name}\0${size} ${mtimeMs} ${ctimeMs}`);
      newest = Math.max(newest, mtimeMs, ctimeMs);
    }
    hash.update(lines.sort().join('\n'));
    return inside.sort().every((path) => look(path, [...above, real]));
  };
  try {
    if (!look(join(root, '.'), [])) return undefined;
  } catch {
    return undefined;
  }
  return { digest: hash.digest('hex'), files, newest };
}
