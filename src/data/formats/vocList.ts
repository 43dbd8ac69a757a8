import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FinetuneError } from '../../errors.js';
import type { Findings } from '../findings.js';
import { readingsOf } from '../image/readings.js';
import { IMAGE_EXTENSION, listFolder } from '../image/imageFiles.js';
import { readLines } from './textFile.js';

/** An image of a list in ImageSets/Main. */
export interface VocListEntry {
  /** The path of its files without extension, relative to Annotations/ and JPEGImages/: a name, or a folder and a name. */
  readonly stem: string;
  /** Counted from 1. */
  readonly line: number;
}

/** The images in a list of ImageSets/Main, each once. Of a per-class list ("000012 -1") all images are used: those
 *  without the class are negatives. A stem may contain spaces, and some tools write a file name or a path, even of
 *  another computer, instead of a stem; `isStem` tells which stems exist. Images that are listed twice are counted;
 *  names that differ and lead to the same stem are a problem, E_VOC_MISSING. */
export function readVocList(
  lines: readonly string[],
  file: string,
  isStem: (stem: string) => boolean,
  findings: Findings,
): VocListEntry[] {
  const seen = new Map<string, string>();
  return lines.flatMap((row, index) => {
    const whole = row.trim();
    if (whole === '') return [];
    const line = index + 1;
    const { stem, name } = stemOf(whole, isStem);
    const before = seen.get(stem);
    if (before === undefined) {
      seen.set(stem, name);
      return [{ stem, line }];
    }
    const where = { file, line };
    if (before === name) findings.count('image listed twice', () => ({ message: `"${stem}" again`, where }));
    else {
      const message = `"${name}" and "${before}" would both be the image "${stem}"`;
      findings.problem({ code: 'E_VOC_MISSING', message, where, fix: 'write paths below JPEGImages/' });
    }
    return [];
  });
}

function stemOf(whole: string, isStem: (stem: string) => boolean): { readonly stem: string; readonly name: string } {
  const labelled = /^(.*\S)\s+(?:-1|0|1)$/.exec(whole)?.[1];
  const names = [whole, ...(labelled === undefined ? [] : [labelled])];
  const exact = names.find(isStem);
  if (exact !== undefined) return { stem: exact, name: exact };
  for (const name of names) {
    const bare = name.replace(IMAGE_EXTENSION, '').replace(/\.xml$/i, '');
    const readings = readingsOf(bare).sort((a, b) => b.kept - a.kept);
    const stem = readings.map(({ path }) => path).find(isStem);
    if (stem !== undefined) return { stem, name: bare };
  }
  return { stem: names.at(-1)!, name: names.at(-1)! };
}

/** The list of a split. */
export const listOf = (root: string, split: string): string => join(root, 'ImageSets', 'Main', `${split}.txt`);

/** Reads the lines of a split's list. Throws E_VOC_SPLIT if there is none, E_ENCODING if it is no text. */
export async function readListLines(root: string, split: string): Promise<string[]> {
  const file = listOf(root, split);
  const bytes = await readFile(file).catch(async (error: unknown) => {
    const names = [...(await listFolder(join(root, 'ImageSets', 'Main')))].sort();
    const lists = names.filter((name) => name.endsWith('.txt')).map((name) => name.slice(0, -4));
    throw new FinetuneError(
      {
        code: 'E_VOC_SPLIT',
        message: `there is no list "${split}"`,
        where: { file },
        fix:
          lists.length > 0
            ? `the lists are: ${lists.join(', ')}`
            : `is ${root} a VOC folder, with Annotations/ and ImageSets/Main/?`,
      },
      { cause: error },
    );
  });
  return readLines(bytes, file);
}
