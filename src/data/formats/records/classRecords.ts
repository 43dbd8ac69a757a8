import { join, resolve } from 'node:path';
import type { Where } from '../../../errors.js';
import type { Findings } from '../../findings.js';
import type { PartName } from '../../sample.js';
import type { Detect } from '../detect/detected.js';
import { listFiles } from '../detect/listing.js';
import { partOf } from '../detect/parts.js';
import type { Format } from '../format.js';
import type { LabelledImage, LabelledPart } from '../labelledDataset.js';
import { HELD_OUT, labelledFormat, type LabelledData } from '../labelledFormat.js';
import { locateImages } from './locateImages.js';
import { readLabelText } from './readLabels.js';
import { labelFiles } from './recordFormat.js';
import type { ImageRecord } from './record.js';
import type { LabelFile } from './textLayout.js';

/** An image with its class, as it stands in a file of labels. */
export interface ClassRecord {
  readonly name: string;
  /** The name has no extension. */
  readonly isStem?: boolean;
  readonly label: string;
  /** Absolute path of the image, where that is known. */
  readonly file?: string;
  readonly where: Where;
}

/** The layouts of classes whose parts are files of labels. */
export type ClassFormatName = 'labelstudio-classes' | 'huggingface-classes' | 'webdataset-classes';

/** What a layout of classes reads one file with. */
export type ReadClasses = (file: LabelFile) => Promise<readonly ClassRecord[]>;

/** A layout of images with a class each, whose files of labels are texts. */
export const classRecordFormat = (
  detect: Detect,
  isLabels: (path: string) => boolean,
  parse: (text: string, file: LabelFile) => readonly ClassRecord[],
): Format<LabelledData<ClassFormatName>> =>
  classFileFormat(detect, isLabels, async (label) => parse(await readLabelText(label.file), label));

/** A layout of images with a class each, with files of labels of any kind. */
export const classFileFormat = (
  detect: Detect,
  isLabels: (path: string) => boolean,
  read: ReadClasses,
): Format<LabelledData<ClassFormatName>> =>
  labelledFormat<ClassFormatName>({
    findParts: async ({ root, train, val, test }) => {
      const found = (await detect(await listFiles(root)))?.parts ?? {};
      const place = (part: PartName): string | undefined => {
        const places = found[part] as string | readonly string[] | undefined;
        return typeof places === 'string' ? places : places?.join(SEPARATOR);
      };
      return { train: train ?? place('train') ?? '.', val: val ?? place('val') ?? HELD_OUT, test };
    },
    readPart: async (root, place, { brokenImages, findings }) => {
      const folder = resolve(root);
      const part = partOf(place) ?? 'train';
      const places = place.split(SEPARATOR);
      const records: ClassRecord[] = [];
      for (const file of await labelFiles({ places, others: [], root: folder, part }, isLabels)) {
        const wrong = (message: string, where: Where = { file }): void =>
          findings.problem({ code: 'E_LABEL_ROW', message, where });
        try {
          records.push(...(await read({ file, root: folder, part, findings, wrong })));
        } catch (error) {
          findings.absorb(error);
        }
      }
      return labelledPart(records, { root: folder, part, place: join(folder, places[0]!), brokenImages, findings });
    },
  });

/** Joins the files of a part in one name; no path has this character. */
const SEPARATOR = '\n';

/** Finds the images of the records. Problems go to `findings`: an image has one class. */
export async function labelledPart(
  records: readonly ClassRecord[],
  {
    root,
    part,
    place,
    brokenImages,
    findings,
  }: { root: string; part: PartName; place: string; brokenImages: 'error' | 'drop'; findings: Findings },
): Promise<LabelledPart> {
  const asImages = new Map(records.map((record): [ImageRecord, ClassRecord] => [{ ...record, objects: [] }, record]));
  const located = await locateImages([...asImages.keys()], { root, part, images: undefined, brokenImages, findings });
  const byFile = new Map<string, LabelledImage>();
  for (const [image, file] of located) {
    const { name: written, label, where } = asImages.get(image)!;
    const before = byFile.get(file);
    if (!before) byFile.set(file, { name: written, file, label, where });
    else if (before.label === label)
      findings.count('image listed twice', () => ({ message: `"${written}" again`, where }));
    else
      findings.problem({
        code: 'E_LABEL_ROW',
        message: `"${written}" is "${label}" here and "${before.label}" before: an image has one class`,
        where,
      });
  }
  const classes = [...new Set(records.map(({ label }) => label))].sort();
  return { name: part, classes, images: [...byFile.values()], place };
}
