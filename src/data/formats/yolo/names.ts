import { dirname, join, relative, sep } from 'node:path';
import { FinetuneError } from '../../../errors.js';
import { numberCategories } from '../../categories.js';
import type { Category, CategoryId } from '../../sample.js';
import { listFiles } from '../detect/listing.js';
import { folderOf } from '../detect/parts.js';
import { isClassNumber, MOST_CLASSES } from '../records/classNumber.js';
import { readLabelText } from '../records/readLabels.js';
import { notOfLayout } from '../records/textLayout.js';
import { parseDarknetData, parseYoloYaml, type YoloConfig } from './config.js';
import { findBrokenConfig, findConfig, NAMES_FILE, nearestNames } from './detect.js';
import { placeReadings } from './places.js';

/** The classes of a YOLO data set. */
export interface YoloNames {
  /** The file that names them; undefined if there is none. */
  readonly file: string | undefined;
  readonly config: YoloConfig | undefined;
  /** The name of a class by its number, or by itself; undefined if there is no such class. */
  nameOf(label: string): string | undefined;
  /** All classes; undefined if no file names them. */
  readonly categories: readonly Category[] | undefined;
}

/** Reads the names of the classes: of the file that the options name, of data.yaml or obj.data, or of classes.txt.
 *  Throws E_LABEL_FILE, E_LABEL_SYNTAX or E_LABEL_LAYOUT. */
export async function readNames(root: string, written: string | undefined): Promise<YoloNames> {
  const listing = await listFiles(root);
  const path =
    written ??
    (await findConfig(listing))?.file ??
    (await findBrokenConfig(listing)) ??
    listing.files.filter((one) => NAMES_FILE.test(one)).sort((a, b) => a.split('/').length - b.split('/').length)[0];
  if (path === undefined) return { file: undefined, config: undefined, nameOf: nameByNumber, categories: undefined };
  const file = join(root, path);
  const text = await readLabelText(file);
  const config = /\.ya?ml$/i.test(path)
    ? parseYoloYaml(text, file)
    : /\.data$/i.test(path)
      ? parseDarknetData(text, file)
      : undefined;
  const listed = config?.namesFile === undefined ? undefined : findList(config.namesFile, path, root, listing.files);
  const names = config ? (config.names ?? (listed && linesOf(await readLabelText(listed)))) : linesOf(text);
  if (!names) return { file, config, nameOf: nameByNumber, categories: countedNames(config?.count) };
  assertDifferent(names, listed ?? file);
  const byName = new Map([...names].map(([number, name]) => [name, number]));
  return {
    file,
    config,
    nameOf: (label) => (isNumber(label) ? names.get(Number(label)) : byName.has(label) ? label : undefined),
    categories: [...names].map(([number, name]) => ({ id: (number + 1) as CategoryId, name })),
  };
}

/** How the labels of each file name their classes: where the folders of a data set have different lists of classes, by
 *  that of their own folder. */
export async function namesOfLabels(
  root: string,
  names: YoloNames,
  labels: readonly string[],
): Promise<{ readonly of: (label: string) => YoloNames; readonly categories: YoloNames['categories'] }> {
  const pathOf = (label: string): string => relative(root, label).split(sep).join('/');
  const nearest = await nearestNames(
    await listFiles(root),
    labels.map(pathOf),
    names.file === undefined ? undefined : pathOf(names.file),
  );
  if (!nearest) return { of: () => names, categories: names.categories };
  const read = new Map<string, YoloNames>();
  for (const file of new Set(nearest.values())) read.set(file, await readNames(root, file));
  const all = [...read.values()].flatMap(({ categories }) => categories ?? []);
  return {
    of: (label) => read.get(nearest.get(folderOf(pathOf(label))) ?? '') ?? names,
    categories: numberCategories([...new Set(all.map(({ name }) => name))]),
  };
}

/** The file with the names that obj.data gives: relative to it, to the root, or to the folder of the program. */
function findList(written: string, path: string, root: string, files: readonly string[]): string {
  for (const reading of placeReadings(written)) {
    const beside = relative(root, join(root, dirname(path), reading))
      .split(sep)
      .join('/');
    const found =
      [beside, reading].find((one) => files.includes(one)) ?? files.find((one) => one.endsWith(`/${reading}`));
    if (found !== undefined) return join(root, found);
  }
  throw notOfLayout(join(root, path), `names ${written}, which does not exist`);
}

const isNumber = (label: string): boolean => /^\d+(?:\.0*)?$/.test(label);

/** Without names, a class is called by its number. */
const nameByNumber = (label: string): string | undefined =>
  isNumber(label) && isClassNumber(Number(label)) ? String(Number(label)) : undefined;

const countedNames = (count: number | undefined): Category[] | undefined =>
  count === undefined
    ? undefined
    : numberCategories(Array.from({ length: Math.min(count, MOST_CLASSES) }, (_, i) => String(i)));

/** Names by their line; blank lines at the end are none. */
function linesOf(text: string): Map<number, string> {
  const lines = text.trimEnd().split(/\r\n|[\n\r]/);
  return new Map(
    lines.map((line, number) => [number, line.trim() === '' ? `class ${number}` : line.trim().normalize()]),
  );
}

function assertDifferent(names: ReadonlyMap<number, string>, file: string): void {
  const seen = new Map<string, number>();
  for (const [number, name] of names) {
    const before = seen.get(name);
    if (before !== undefined)
      throw new FinetuneError({
        code: 'E_LABEL_LAYOUT',
        message: `the classes ${before} and ${number} are both called "${name}"`,
        where: { file },
        fix: `give each class a name of its own; data.categories: {map: …} can join them afterwards`,
      });
    seen.set(name, number);
  }
}
