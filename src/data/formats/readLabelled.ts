import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { FinetuneError } from '../../errors.js';
import type { Findings } from '../findings.js';
import { layOut, readClassFolders, type FolderLayout } from './imageFolder.js';
import { readLabelCsv } from './labelCsv.js';
import {
  buildLabelled,
  chooseClasses,
  holdOut,
  type Classes,
  type LabelledPart,
  type WantedClasses,
} from './labelledDataset.js';
import type { Dataset, PartName } from '../sample.js';

/** Images with a class each: in folders, or listed in a table. */
export interface LabelledData {
  readonly format: 'imageFolder' | 'csv';
  readonly root: string;
  /** A folder, or a table, of `root`. */
  readonly train?: string | undefined;
  /** Likewise, or the share of the training images that is held out. */
  readonly val?: string | number | undefined;
  readonly test?: string | undefined;
  readonly splitSeed: number;
  readonly categories?: WantedClasses | undefined;
  /** One class is enough: it comes beside others. */
  readonly singleClass?: boolean | undefined;
  readonly brokenImages?: 'error' | 'drop' | undefined;
}

/** Reads the parts as far as that goes: problems go to the findings of their part. */
export async function readLabelled(
  data: LabelledData,
  findingsOf: (part: PartName) => Findings,
): Promise<Partial<Record<PartName, Dataset>>> {
  const parts: readonly PartName[] = ['train', 'val', ...(data.test === undefined ? [] : (['test'] as const))];
  const findings = Object.fromEntries(parts.map((part) => [part, findingsOf(part)])) as Record<PartName, Findings>;
  try {
    const layout = data.format === 'csv' ? await layOutTables(data) : await layOut(data.root, data);
    const read = await readParts(data, layout, findings);
    const classes = chooseClasses(read.train!, data.categories, data.singleClass);
    reportEmpty(read.train!, classes, findings.train);
    const opened: Partial<Record<PartName, Dataset>> = {};
    for (const part of parts) {
      const from = read[part];
      if (!from) continue;
      if (data.categories === undefined && part !== 'train') reportStrangers(from, classes, findings[part]);
      const dataset = await buildLabelled(from, classes, findings[part], data.brokenImages ?? 'error');
      opened[part] = dataset;
      if (dataset.annotations.length > 0 || findings[part].problems().length > 0) continue;
      findings[part].problem({
        code: 'E_DATA_EMPTY',
        message: `${dataset.name} has no images`,
        where: { file: from.place },
      });
    }
    return opened;
  } catch (error) {
    findings.train.absorb(error);
    return {};
  }
}

async function readParts(
  { root, format, splitSeed }: LabelledData,
  layout: FolderLayout,
  findings: Record<PartName, Findings>,
): Promise<Partial<Record<PartName, LabelledPart>>> {
  const readPart = format === 'csv' ? readLabelCsv : readClassFolders;
  const whole = await readPart(root, layout.train, findings.train);
  const [train, val] =
    typeof layout.val === 'number'
      ? holdOut(whole, layout.val, splitSeed)
      : [whole, await readPart(root, layout.val, findings.val)];
  if (layout.test === undefined) return { train, val };
  return { train, val, test: await readPart(root, layout.test, findings.test) };
}

/** A folder without images is more likely a mistake than a class; the thousand of ImageNet need not all be there. */
function reportEmpty({ classes, place, images }: LabelledPart, { indexOf }: Classes, findings: Findings): void {
  const filled = new Set(images.map(({ label }) => label));
  for (const label of classes.filter((name) => !filled.has(name) && indexOf(name) !== undefined)) {
    findings.problem({
      code: 'E_FOLDER_EMPTY',
      message: `the class "${label}" has no images`,
      where: { file: join(place, label) },
      fix: 'put images there, remove the folder, or list the classes to learn in data.categories',
    });
  }
}

/** A class that is met only after training cannot have been learned: more likely a folder is misspelt. */
function reportStrangers(
  { classes, place, images }: LabelledPart,
  { categories, indexOf }: Classes,
  findings: Findings,
): void {
  for (const label of classes.filter((name) => indexOf(name) === undefined)) {
    const same = categories.find(({ name }) => name.toLowerCase() === label.toLowerCase());
    findings.problem({
      code: 'E_DATA_CLASSES',
      message: `the class "${label}" is not in the training part`,
      where: images.find((image) => image.label === label)?.where ?? { file: place },
      fix: same
        ? `the training part calls it "${same.name}"`
        : 'add it there, remove it here, or list the classes to learn in data.categories',
    });
  }
}

/** Held out for validation where there is no table for it. */
const HELD_OUT = 0.2;

async function layOutTables({ root, train = 'train.csv', val, test }: LabelledData): Promise<FolderLayout> {
  const there = (name: string): Promise<boolean> => stat(join(root, name)).then((entry) => entry.isFile(), () => false); // prettier-ignore
  if (!(await stat(root).then((entry) => entry.isDirectory(), () => false))) {
    throw new FinetuneError({ code: 'E_FOLDER_ROOT', message: 'no such folder', where: { file: root }, fix: 'set data.root' });
  } // prettier-ignore
  return { train, val: val ?? ((await there('val.csv')) ? 'val.csv' : HELD_OUT), test };
}
