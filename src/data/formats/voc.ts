import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import pLimit from 'p-limit';
import { FinetuneError } from '../../errors.js';
import { createFindings, type Findings } from '../findings.js';
import { readImageHeader } from '../image/image.js';
import { settleSize } from '../image/statedSize.js';
import { IMAGE_EXTENSION } from '../image/imageFiles.js';
import { numberCategories } from '../categories.js';
import type { DropPolicies, RawImage, ReadPart } from '../rawDataset.js';
import { boxFormat, type BoxData } from './boxFormat.js';
import { buildPart } from './buildPart.js';
import type { Dataset } from '../sample.js';
import { otherPlaces } from './records/innerPlaces.js';
import type { Place } from './records/recordFormat.js';
import { readVocFolder } from './vocFolder.js';
import { readVocFile, type VocObject } from './vocFile.js';
import { indexByStem } from './stemIndex.js';
import { reportEntries, sortEntries, type SoundEntry } from './vocEntries.js';
import { listOf, readListLines, readVocList } from './vocList.js';

/** A part is the name of a list in ImageSets/Main, or one or several folders with XML files. */
export interface VocData extends BoxData {
  readonly format: 'voc';
  readonly root: string;
  readonly train: Place;
  readonly val: Place;
  readonly test?: Place | null | undefined;
}

/** Pascal VOC: the folders of the challenge, or XML files in any folders. */
export const voc = boxFormat<VocData>({
  readPart: async ({ root, ...data }, part, findings, policies) => {
    const places = [data[part]!].flat();
    const [place] = places as [string, ...string[]];
    return places.length > 1 || (await isFolderOfPart(root, place))
      ? readVocFolder({ root, places, others: otherPlaces(data, part), part, ...policies }, findings)
      : readVoc({ root, split: place, ...policies }, findings);
  },
});

/** Whether a part is a folder with XML files, rather than a list in ImageSets/Main. */
async function isFolderOfPart(root: string, place: string): Promise<boolean> {
  const list = await stat(listOf(root, place)).catch(() => undefined);
  if (list?.isFile()) return false;
  const folder = await stat(resolve(root, place)).catch(() => undefined);
  return folder?.isDirectory() ?? false;
}

export interface VocOptions extends DropPolicies {
  /** The folder with Annotations/, ImageSets/Main/ and JPEGImages/. */
  readonly root: string;
  /** A list in ImageSets/Main, without `.txt`. */
  readonly split: string;
  /** Names to learn, in the order of the model's classes. Default: those of the split, sorted. */
  readonly categories?: readonly string[];
}

/** Open one split of a Pascal VOC data set. 1-based inclusive corners become 0-based Xyxy pixels (xmin−1, ymin−1, xmax,
 *  ymax), clipped to the image; difficult objects become ignored ones; a missing <size> is taken from the image's header
 *  and counted. Category ids are class index + 1, image ids are file stems. `toCoco()` has the unclipped boxes.
 *  Throws every problem at once: E_VOC_SPLIT, E_VOC_MISSING, _XML, _OBJECT, _BOX, E_ENCODING, E_IMAGE_MISSING,
 *  E_IMAGE_AMBIGUOUS, E_IMAGE_DECODE, E_IMAGE_SIZE, and E_DATA_CATEGORY for a name that the split does not have. */
export async function openVoc({ root, split, categories, ...policies }: VocOptions): Promise<Dataset> {
  const findings = createFindings();
  const read = await readVoc({ root, split, ...policies }, findings);
  findings.throwIfAny();
  const dataset = buildPart(read, [read], categories, findings, policies);
  findings.throwIfAny();
  return dataset;
}

/** Maximum number of open files while annotations and image headers are read. */
const OPEN_FILES = 16;

/** Read a split; problems go to `findings`. Throws E_VOC_SPLIT if there is no list of that name, E_ENCODING if the list
 *  is no text. */
export async function readVoc(
  { root: folder, split, invalidBoxes = 'error', brokenImages = 'error' }: Omit<VocOptions, 'categories'>,
  findings: Findings,
): Promise<ReadPart> {
  const root = resolve(folder);
  const annotated = await indexByStem(join(root, 'Annotations'), /\.xml$/i);
  const pictures = await indexByStem(join(root, 'JPEGImages'), IMAGE_EXTENSION);
  const file = listOf(root, split);
  const lines = await readListLines(root, split);
  const entries = readVocList(lines, file, (stem) => annotated.find(stem).length > 0, findings);
  const sorted = sortEntries(entries, annotated, pictures);
  reportEntries(sorted, { root, file, all: entries.length, sample: annotated.files[0], brokenImages }, findings);

  const limit = pLimit(OPEN_FILES);
  const readOne = async ({ stem, xmlName, imageName }: SoundEntry) => {
    const xml = join(root, 'Annotations', xmlName);
    const image = join(root, 'JPEGImages', imageName);
    const annotation = await readVocFile(xml, invalidBoxes, findings);
    const header = await readImageHeader(image).catch((error: unknown) => {
      if (!(error instanceof FinetuneError)) throw error;
      findings.report(brokenImages, 'image cannot be decoded', () => error.problems[0]!);
    });
    if (!annotation || !header) return;
    const { size: said, sizeAt: where } = annotation;
    if (!said)
      findings.count("size missing, taken from the image's header", () => ({
        message: 'no <size>',
        where: { file: xml },
      }));
    const objects = annotation.objects.map(rawObject);
    return { stem, imageName, file: image, stated: { said, header, objects, where, name: `JPEGImages/${imageName}` } };
  };
  const read = await Promise.all(sorted.sound.map((entry) => limit(readOne, entry)));
  const images = read.flatMap((entry) => {
    const settled = entry && settleSize(entry.stated, brokenImages, findings);
    return settled ? [{ ...entry, ...settled }] : [];
  });
  const names = [...new Set(images.flatMap(({ objects }) => objects.map(({ category }) => category)))].sort();
  let id = 0;
  const raw = images.map(({ stem, imageName, file: image, extent, objects }): RawImage => {
    const numbered = objects.map((object) => ({ ...object, id: ++id }));
    return { imageId: stem, file: image, fileName: imageName, ...extent, objects: numbered };
  });
  const categories = numberCategories(names);
  return { name: `voc ${split}`, categories, hasIds: false, images: raw, place: join(root, 'Annotations') };
}

const rawObject = ({ name, difficult, bbox, problem }: VocObject) => ({
  category: name,
  bbox,
  area: bbox[2] * bbox[3],
  iscrowd: 0 as const,
  ignore: difficult ? (1 as const) : (0 as const),
  problem,
});
