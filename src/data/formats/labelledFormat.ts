import { join } from 'node:path';
import { assertKnown, isChange, rename, type CategoryChanges } from '../categoryChanges.js';
import type { Findings } from '../findings.js';
import type { PartName } from '../sample.js';
import type { SplitOptions } from '../split/split.js';
import type { Format, Parts, ReadOptions } from './format.js';
import {
  buildLabelled,
  chooseClasses,
  holdOut,
  type Classes,
  type LabelledPart,
  type WantedClasses,
} from './labelledDataset.js';

/** Images with a class each. */
export interface LabelledData<Name extends string = 'imageFolder' | 'csv'> {
  readonly format: Name;
  readonly root: string;
  /** A folder, or a table, of `root`. */
  readonly train?: string | undefined;
  /** Likewise, or the share of the training images that is held out. */
  readonly val?: string | number | undefined;
  readonly test?: string | null | undefined;
  readonly splitSeed: number;
  readonly split?: SplitOptions | null | undefined;
  readonly categories?: WantedClasses | CategoryChanges | undefined;
  /** A single class is allowed, because it is added to those of a model. */
  readonly singleClass?: boolean | undefined;
  readonly brokenImages?: 'error' | 'drop' | undefined;
}

/** Where the parts are: folders or tables of `root`. A number is the share of the training part that is held out. */
export interface LabelledPlaces {
  readonly train: string;
  readonly val: string | number;
  readonly test?: string | null | undefined;
}

/** How one layout finds and reads its parts. */
export interface LabelledLayout {
  /** Infers what the options leave out from what is in `root`. */
  findParts(data: Pick<LabelledData, 'root' | 'train' | 'val' | 'test'>): Promise<LabelledPlaces>;
  readPart(root: string, place: string, options: ReadPartOptions): Promise<LabelledPart>;
}

export interface ReadPartOptions {
  readonly brokenImages: 'error' | 'drop';
  readonly findings: Findings;
  readonly part: PartName;
  /** Other parts have the same place, so that its entries must say to which part they belong. */
  readonly isShared: boolean;
}

/** Share of the training images that is held out for validation if the options do not say and there is no such part. */
export const HELD_OUT = 0.2;

/** A layout of images with a class each. */
export const labelledFormat = <Name extends string>(layout: LabelledLayout): Format<LabelledData<Name>> => ({
  kind: 'wholeImage',
  open: (data, options) => openLabelled(layout, data, options),
});

async function openLabelled(
  layout: LabelledLayout,
  data: LabelledData<string>,
  { findingsOf, skip = [] }: ReadOptions,
): Promise<Parts> {
  const named: readonly PartName[] = ['train', 'val', ...(data.test ? (['test'] as const) : [])];
  const parts = named.filter((part) => !skip.includes(part));
  const findings = Object.fromEntries(parts.map((part) => [part, findingsOf(part)])) as Record<PartName, Findings>;
  try {
    const { categories } = data;
    const written = await readParts(layout, data, findings, skip);
    const read = isChange(categories) ? changeParts(written, categories, findings) : written;
    const classes = chooseClasses(read.train!, isChange(categories) ? undefined : categories, data.singleClass);
    if (findings.train.problems().length === 0) reportEmpty(read.train!, classes, findings.train);
    const opened: Parts = {};
    for (const part of parts) {
      const from = read[part];
      if (!from) continue;
      if ((categories === undefined || isChange(categories)) && part !== 'train')
        reportStrangers(from, classes, findings[part]);
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

/** The parts with changed classes. Throws E_DATA_CATEGORY for a class that does not exist. */
function changeParts(
  read: Partial<Record<PartName, LabelledPart>>,
  changes: CategoryChanges,
  findings: Record<PartName, Findings>,
): Partial<Record<PartName, LabelledPart>> {
  const parts = Object.entries(read) as [PartName, LabelledPart][];
  assertKnown(
    parts.flatMap(([, { classes }]) => classes),
    changes,
    read.train!.place,
  );
  return Object.fromEntries(
    parts.map(([name, part]) => {
      const classes = part.classes.flatMap((label) => rename(label, changes) ?? []);
      const images = part.images.flatMap((image) => {
        const label = rename(image.label, changes);
        if (label !== undefined) return [{ ...image, label }];
        findings[name].count('image of a class that data.categories.drop names');
        return [];
      });
      return [name, { ...part, classes: [...new Set(classes)].sort(), images }];
    }),
  );
}

async function readParts(
  layout: LabelledLayout,
  data: LabelledData<string>,
  findings: Record<PartName, Findings>,
  skip: readonly PartName[],
): Promise<Partial<Record<PartName, LabelledPart>>> {
  const { root, splitSeed, brokenImages = 'error' } = data;
  const places = await layout.findParts(data);
  const all = [places.train, places.val, ...(skip.includes('test') ? [] : [places.test])];
  const read = (place: string, part: PartName) => {
    const isShared = all.filter((other) => other === place).length > 1;
    return layout.readPart(root, place, { brokenImages, findings: findings[part], part, isShared });
  };
  const whole = await read(places.train, 'train');
  const test = places.test && !skip.includes('test') ? { test: await read(places.test, 'test') } : {};
  if (skip.includes('val')) return { train: whole, ...test };
  const [train, val] =
    typeof places.val === 'number' ? holdOut(whole, places.val, splitSeed) : [whole, await read(places.val, 'val')];
  return { train, val, ...test };
}

/** Reports class folders without images: they are more likely a mistake than a class. The thousand classes of ImageNet
 *  need not all exist. */
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

/** Reports classes that the training part does not have: they cannot be learned, and more likely a folder is misspelt. */
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
