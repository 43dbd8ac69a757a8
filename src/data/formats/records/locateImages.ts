import { dirname, extname, join, relative, resolve, sep } from 'node:path';
import type { Findings } from '../../findings.js';
import { findImages, type Found } from '../../image/findImages.js';
import { reportImages } from '../../image/reportImages.js';
import type { Change } from '../../image/readings.js';
import type { PartName } from '../../sample.js';
import { indexImages, type ImageIndex } from './imageIndex.js';
import type { ImageRecord } from './record.js';
import { unpackImage } from './unpackImage.js';

export interface LocateOptions {
  /** Folder of the data set. */
  readonly root: string;
  readonly part: PartName;
  /** The folder to which the names are relative, if the options say so. */
  readonly images: string | undefined;
  readonly brokenImages: 'error' | 'drop';
  readonly findings: Findings;
}

/** Finds the image of each record: where its name leads from the folder of the labels or another usual folder, or
 *  else the only image of that name in the data set; or the image that stands in the file of labels itself. Reports
 *  those that are missing. */
export async function locateImages(
  records: readonly ImageRecord[],
  options: LocateOptions,
): Promise<Map<ImageRecord, string>> {
  const located = new Map<ImageRecord, string>();
  const groups = new Map<string, ImageRecord[]>();
  for (const record of records) {
    if (record.file !== undefined) located.set(record, record.file);
    else {
      const folder = dirname(record.where.file!);
      const group = groups.get(folder);
      if (group) group.push(record);
      else groups.set(folder, [record]);
    }
  }
  let index: Promise<ImageIndex> | undefined;
  const indexOf = (): Promise<ImageIndex> => (index ??= indexImages(options.root));
  for (const [folder, group] of groups) await locateGroup(group, folder, options, indexOf, located);
  return located;
}

async function locateGroup(
  group: readonly ImageRecord[],
  labels: string,
  { root, part, images, brokenImages, findings }: LocateOptions,
  indexOf: () => Promise<ImageIndex>,
  located: Map<ImageRecord, string>,
): Promise<void> {
  const names = group.filter(({ isStem }) => !isStem).map(({ name }) => name);
  const { folder, found } = await bestFolder(
    names,
    images === undefined ? usualFolders(labels, root, part) : [resolve(root, images)],
  );
  const near =
    relative(root, images === undefined ? labels : folder)
      .split(sep)
      .join('/') || '.';
  const reported = new Map<string, Found>();
  for (const record of group) {
    const { name, otherNames = [], isStem = false } = record;
    let one: Found = found.get(name) ?? { reason: undefined };
    for (const candidate of [name, ...otherNames]) {
      if (one.file !== undefined) break;
      const other = (await indexOf()).find(candidate, part, near);
      if (!other) continue;
      one =
        'file' in other
          ? { file: other.file, changes: isStem && candidate === name ? [] : [changeOf(candidate, other.file)] }
          : other;
    }
    if (one.file === undefined && record.bytes) {
      const file = await unpackImage(record.bytes, `${record.where.file!}\n${name}`);
      if (file !== undefined) {
        findings.count('image read from the file of labels, since there is no such file');
        one = { file, changes: [] };
        located.set(record, file);
        continue; // its place in the cache is not outside of the data set in any way that matters
      }
    }
    if (one.file !== undefined) located.set(record, one.file);
    reported.set(name, one);
  }
  const wheres = new Map(group.map(({ name, where }) => [name, where]));
  await reportImages(
    reported,
    { folder, root: resolve(root), brokenImages, whereOf: (name) => wheres.get(name)! },
    findings,
  );
}

const changeOf = (name: string, file: string): Change =>
  extname(name).toLowerCase() === extname(file).toLowerCase() ? 'a prefix' : 'another extension';

/** The folder from which the most names lead to images as they stand. */
async function bestFolder(
  names: readonly string[],
  folders: readonly string[],
): Promise<{ readonly folder: string; readonly found: ReadonlyMap<string, Found> }> {
  let best: { folder: string; found: ReadonlyMap<string, Found>; hits: number } | undefined;
  for (const folder of folders) {
    const found = await findImages(names, { folder });
    const hits = [...found.values()].filter(({ file }) => file !== undefined).length;
    if (!best || hits > best.hits) best = { folder, found, hits };
    if (hits === found.size) break;
  }
  return best!;
}

function usualFolders(labels: string, root: string, part: PartName): string[] {
  const parts = part === 'val' ? ['val', 'valid', 'validation'] : [part];
  const bases = [labels, root, dirname(labels)].filter((base) => base === root || base.startsWith(root));
  const inside = bases.flatMap((base) => [base, ...['images', 'JPEGImages', ...parts].map((name) => join(base, name))]);
  return [...new Set([...inside, ...parts.map((name) => join(root, 'images', name))])];
}
