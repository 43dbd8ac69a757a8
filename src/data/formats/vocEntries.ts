import { join } from 'node:path';
import type { Findings } from '../findings.js';
import type { StemIndex } from './stemIndex.js';
import type { VocListEntry } from './vocList.js';

/** An image of a list with its files, relative to Annotations/ and JPEGImages/. */
export interface SoundEntry extends VocListEntry {
  readonly xmlName: string;
  readonly imageName: string;
}

interface Doubtful extends VocListEntry {
  readonly files: readonly string[];
}

/** The images of a list: those that have both files, and those that lack one, or could have several. */
export interface SortedEntries {
  readonly sound: readonly SoundEntry[];
  readonly withoutXml: readonly VocListEntry[];
  readonly withoutImage: readonly VocListEntry[];
  readonly doubtful: readonly Doubtful[];
}

export function sortEntries(
  entries: readonly VocListEntry[],
  annotated: StemIndex,
  pictures: StemIndex,
): SortedEntries {
  const sorted = {
    sound: [] as SoundEntry[],
    withoutXml: [] as VocListEntry[],
    withoutImage: [] as VocListEntry[],
    doubtful: [] as Doubtful[],
  };
  for (const entry of entries) {
    const xmls = annotated.find(entry.stem);
    const [xmlName] = xmls;
    const images = picturesOf(entry.stem, pictures, xmlName);
    const [imageName] = images;
    const several = [xmls, images].find(({ length }) => length > 1);
    if (xmlName === undefined) sorted.withoutXml.push(entry);
    else if (imageName === undefined) sorted.withoutImage.push(entry);
    else if (several) sorted.doubtful.push({ ...entry, files: several });
    else sorted.sound.push({ ...entry, xmlName, imageName });
  }
  return sorted;
}

/** The images of a stem: below the same folder as its annotation, or else of the same name in any folder. */
function picturesOf(stem: string, pictures: StemIndex, xmlName: string | undefined): readonly string[] {
  const candidates = [...(xmlName === undefined ? [] : [xmlName.replace(/\.xml$/i, '')]), stem];
  const nameAlone = stem.slice(stem.lastIndexOf('/') + 1);
  return [...candidates, nameAlone].map(pictures.find).find(({ length }) => length > 0) ?? [];
}

export interface EntryReport {
  readonly root: string;
  /** The list. */
  readonly file: string;
  /** Number of its images. */
  readonly all: number;
  /** A file of Annotations/. */
  readonly sample: string | undefined;
  readonly brokenImages: 'error' | 'drop';
}

/** Reports what the list lacks: one problem of a kind, with the number and the first line. */
export function reportEntries(
  { withoutXml, withoutImage, doubtful }: SortedEntries,
  { root, file, all, sample, brokenImages }: EntryReport,
  findings: Findings,
): void {
  const at = (entry: VocListEntry) => ({ file, line: entry.line });
  const [firstXml] = withoutXml;
  if (firstXml)
    findings.problem({
      code: 'E_VOC_MISSING',
      message: `Annotations/${firstXml.stem}.xml does not exist${others(withoutXml, all)}`,
      where: at(firstXml),
      fix: `Annotations/ has ${sample === undefined ? 'no .xml file' : `"${sample}"`}; remove the name from the list, or add the file (for an image without objects, one without <object>)`,
    });
  const [firstImage] = withoutImage;
  if (firstImage)
    findings.report(
      brokenImages,
      'image missing',
      () => ({
        code: 'E_IMAGE_MISSING',
        message: `${join(root, 'JPEGImages')} has no image "${firstImage.stem}" (.jpg, .png, .webp, .tif …)${others(withoutImage, all)}`,
        where: at(firstImage),
        fix: 'add it, or set data.brokenImages: drop (the report counts them)',
      }),
      withoutImage.length,
    );
  const [firstDoubtful] = doubtful;
  if (firstDoubtful)
    findings.report(
      brokenImages,
      'image could be several files',
      () => ({
        code: 'E_IMAGE_AMBIGUOUS',
        message: `"${firstDoubtful.stem}" may be ${firstDoubtful.files.slice(0, 2).join(' or ')}${others(doubtful, all)}`,
        where: at(firstDoubtful),
        fix: 'write its folder in the list, as in folder/name, or remove one of the files',
      }),
      doubtful.length,
    );
}

const others = ({ length }: readonly VocListEntry[], all: number): string =>
  length === 1 ? '' : `; likewise ${length - 1} more of the ${all} images in the list`;
