import { isAbsolute, relative, sep } from 'node:path';
import type { Where } from '../../errors.js';
import type { Findings } from '../findings.js';
import type { Found } from './findImages.js';
import { listFolder } from './imageFiles.js';
import type { Change } from './readings.js';

export interface ImageReport {
  /** The folder to which the names are relative. */
  readonly folder: string;
  /** The folder of the data set. An image outside of both folders is counted, since an annotation file may come from a
   *  stranger. */
  readonly root: string;
  readonly brokenImages: 'error' | 'drop';
  /** The place of a name in its annotation file. */
  readonly whereOf: (name: string) => Where;
}

/** Reports the images of a part that were not found, or could be several files, as one problem each with their number
 *  and what the names have in common; counts those that were found by changing their names, and those outside of the
 *  data set. */
export async function reportImages(
  found: ReadonlyMap<string, Found>,
  { folder, root, brokenImages, whereOf }: ImageReport,
  findings: Findings,
): Promise<void> {
  const absent: string[] = [];
  const doubtful: string[] = [];
  for (const [name, one] of found) if (one.file === undefined) (one.reason ? doubtful : absent).push(name);
  if (absent.length > 0) {
    const fix = `${await causeOf(absent, folder)}; or set data.brokenImages: drop (the report counts them)`;
    findings.report(
      brokenImages,
      'image missing',
      () => ({
        code: 'E_IMAGE_MISSING',
        message: `${countOf(absent, found.size)} not exist: ${quoted(absent)}`,
        where: whereOf(absent[0]!),
        fix,
      }),
      absent.length,
    );
  }
  if (doubtful.length > 0) {
    const reason = found.get(doubtful[0]!)!;
    findings.report(
      brokenImages,
      'image could be several files',
      () => ({
        code: 'E_IMAGE_AMBIGUOUS',
        message: `${doubtful.length} of ${found.size} images could be several files: ${'reason' in reason ? reason.reason! : ''}`,
        where: whereOf(doubtful[0]!),
        fix: 'write the names as paths relative to the folder of the images',
      }),
      doubtful.length,
    );
  }
  countChanged(found, whereOf, findings);
  countOutside(found, [root, folder], whereOf, findings);
}

const countOf = ({ length }: readonly string[], total: number): string =>
  `${length} of ${total} image${total === 1 ? '' : 's'} ${length === 1 ? 'does' : 'do'}`;

const SHOWN = 3;

const quoted = (names: readonly string[]): string =>
  names
    .slice(0, SHOWN)
    .map((name) => `"${shorten(name)}"`)
    .join(', ') + (names.length > SHOWN ? ', …' : '');

/** A name without its middle, where it is very long. */
const shorten = (name: string): string => (name.length > 120 ? `${name.slice(0, 60)}…${name.slice(-50)}` : name);

/** What names have in common that no file has. */
async function causeOf(names: readonly string[], folder: string): Promise<string> {
  const all = (test: RegExp): boolean => names.every((name) => test.test(name));
  const there = await listFolder(folder).catch(() => new Set<string>());
  const [sample] = there;
  if (sample === undefined) return `${folder} does not exist or is empty`;
  const has = `${folder} has "${sample}"`;
  if (all(/^[a-z][a-z\d+.-]+:\/\//i)) return `the names are URLs: download the images; ${has}`;
  if (all(/^(\/|[a-z]:[\\/])/i)) return `the names are absolute paths, perhaps of another computer; ${has}`;
  if (all(/\\/)) return `the names have backslashes, as on Windows; ${has}`;
  if (all(/%[\da-f]{2}/i)) return `the names are percent-encoded; ${has}`;
  const prefix = /^.*?\//.exec(names[0]!)?.[0];
  if (prefix !== undefined && names.every((name) => name.startsWith(prefix)))
    return `the names begin with "${prefix}"; ${has}`;
  return `check the folder of the images: ${has}`;
}

function countChanged(found: ReadonlyMap<string, Found>, whereOf: ImageReport['whereOf'], findings: Findings): void {
  const changed = [...found].flatMap(([name, one]) =>
    one.file !== undefined && one.changes.length > 0 ? [{ name, file: one.file, changes: one.changes }] : [],
  );
  const [first] = changed;
  if (!first) return;
  const how = [...new Set(changed.flatMap(({ changes }): readonly Change[] => changes))].join(', ');
  findings.count(
    'image found although its name is not its path',
    () => ({ message: `"${shorten(first.name)}" is ${first.file} (${how})`, where: whereOf(first.name) }),
    changed.length,
  );
}

function countOutside(
  found: ReadonlyMap<string, Found>,
  folders: readonly string[],
  whereOf: ImageReport['whereOf'],
  findings: Findings,
): void {
  const outside = [...found].filter(
    ([, { file }]) => file !== undefined && !folders.some((folder) => isInside(folder, file)),
  );
  const [first] = outside;
  if (!first) return;
  findings.count(
    'image outside of data.root',
    () => ({ message: `"${shorten(first[0])}" is ${first[1].file!}`, where: whereOf(first[0]) }),
    outside.length,
  );
}

function isInside(folder: string, file: string): boolean {
  const path = relative(folder, file);
  return path !== '..' && !path.startsWith(`..${sep}`) && !isAbsolute(path);
}
