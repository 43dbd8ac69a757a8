import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import pLimit from 'p-limit';
import { FinetuneError } from '../../errors.js';
import { createFindings, type Findings } from '../findings.js';
import { readImageSize } from '../image/image.js';
import { listFolder } from '../image/imageFiles.js';
import { numberCategories, selectCategories } from '../categories.js';
import type { DropPolicies, RawImage, ReadPart } from '../rawDataset.js';
import { boxFormat, type BoxData } from './boxFormat.js';
import { buildBoxes } from './buildBoxes.js';
import type { Dataset } from '../sample.js';
import { readVocFile, type VocObject } from './vocFile.js';
import { readVocList, type VocListEntry } from './vocList.js';

/** A part is the name of a list in ImageSets/Main. */
export interface VocData extends BoxData {
  readonly format: 'voc';
  readonly root: string;
  readonly train: string;
  readonly val: string;
  readonly test?: string | undefined;
}

/** Pascal VOC. Its names are those of any part, since a class may be missing from one. */
export const voc = boxFormat<VocData>({
  readPart: (data, part, findings, policies) => readVoc({ root: data.root, split: data[part]!, ...policies }, findings),
  namesToLearn: ({ categories, root }, read) => {
    const all = [...new Set(read.flatMap(({ names }) => names))].sort();
    return categories ? wantedNames(all, categories, root) : all;
  },
});

export interface VocOptions extends DropPolicies {
  /** The folder with Annotations/, ImageSets/Main/ and JPEGImages/. */
  readonly root: string;
  /** A list in ImageSets/Main, without `.txt`. */
  readonly split: string;
  /** Names to learn, in the order of the model's classes. Default: those of the split, sorted. */
  readonly categories?: readonly string[];
}

/** Open one split of a Pascal VOC data set. 1-based inclusive corners become 0-based Xyxy pixels (xmin−1, ymin−1, xmax,
 *  ymax), clipped to the image; difficult objects become ignored ones; a wrong <size> is corrected from the image's
 *  header and counted. Category ids are class index + 1, image ids are file stems. `toCoco()` has the unclipped boxes.
 *  Throws every problem at once: E_VOC_SPLIT, E_VOC_MISSING, _XML, _OBJECT, _BOX, E_IMAGE_MISSING, E_IMAGE_DECODE, and
 *  E_DATA_CATEGORY for a name that the split does not have. */
export async function openVoc({ root, split, categories, ...policies }: VocOptions): Promise<Dataset> {
  const findings = createFindings();
  const read = await readVoc({ root, split, ...policies }, findings);
  findings.throwIfAny();
  const dataset = read.build(categories ? wantedNames(read.names, categories, root) : read.names);
  findings.throwIfAny();
  return dataset;
}

/** The names to learn. Throws E_DATA_CATEGORY for a name that no split has. */
const wantedNames = (available: readonly string[], wanted: readonly string[], root: string): string[] =>
  selectCategories(numberCategories(available), wanted, join(resolve(root), 'Annotations')).map(({ name }) => name);

/** Maximum number of open files while annotations and image headers are read. */
const OPEN_FILES = 16;

/** Read a split; problems go to `findings`. Throws E_VOC_SPLIT if there is no list of that name. */
export async function readVoc(
  { root: folder, split, invalidBoxes = 'error', brokenImages = 'error' }: Omit<VocOptions, 'categories'>,
  findings: Findings,
): Promise<ReadPart> {
  const root = resolve(folder);
  const listFile = join(root, 'ImageSets', 'Main', `${split}.txt`);
  const annotated = byStem(await listFolder(join(root, 'Annotations')), /\.xml$/i);
  const pictures = byStem(await listFolder(join(root, 'JPEGImages')), /\.(jpe?g|png)$/i);
  const stems = await readList(root, split, listFile, (stem) => annotated.has(stem.normalize()), findings);

  const limit = pLimit(OPEN_FILES);
  const readOne = async ({ stem, line }: { stem: string; line: number }) => {
    const where = { file: listFile, line };
    const xmlName = annotated.get(stem.normalize());
    if (xmlName === undefined) {
      const fix =
        'remove the name from the list, or add the file; for an image without objects, a file without <object>';
      findings.problem({ code: 'E_VOC_MISSING', message: `Annotations/${stem}.xml does not exist`, where, fix });
      return;
    }
    const imageName = pictures.get(stem.normalize());
    if (imageName === undefined) {
      const fix = 'add it, or set data.brokenImages: drop (the report counts them)';
      findings.report(brokenImages, 'image missing', () => ({
        code: 'E_IMAGE_MISSING',
        message: `JPEGImages has no image "${stem}" (.jpg, .jpeg or .png)`,
        where,
        fix,
      }));
      return;
    }
    const xml = join(root, 'Annotations', xmlName);
    const annotation = await readVocFile(xml, invalidBoxes, findings);
    const file = join(root, 'JPEGImages', imageName);
    const size = await readImageSize(file).catch((error: unknown) => {
      if (!(error instanceof FinetuneError)) throw error;
      findings.report(brokenImages, 'image cannot be decoded', () => error.problems[0]!);
    });
    if (!annotation || !size) return;
    const said = annotation.size;
    if (said?.width !== size.width || said.height !== size.height)
      findings.count("wrong <size> mended from the image's header", () => ({
        message: said
          ? `<size> says ${said.width}x${said.height}, the image is ${size.width}x${size.height}`
          : 'no <size>',
        where: { file: xml },
      }));
    return { stem, imageName, file, size, objects: annotation.objects };
  };
  const images = (await Promise.all(stems.map((item) => limit(readOne, item)))).filter((image) => image !== undefined);
  return {
    names: [...new Set(images.flatMap(({ objects }) => objects.map(({ name }) => name)))].sort(),
    build: (names) => {
      let id = 0;
      const raw = images.map(({ stem, imageName, file, size, objects }): RawImage => {
        const numbered = objects.map((object) => ({ ...rawObject(object), id: ++id }));
        return { imageId: stem, file, fileName: imageName, ...size, objects: numbered };
      });
      return buildBoxes(`voc ${split}`, numberCategories(names), raw, findings, { invalidBoxes });
    },
  };
}

/** File names by their stem, normalised, since file systems differ in how they compose accents. */
const byStem = (names: Iterable<string>, extension: RegExp): Map<string, string> =>
  new Map(
    [...names].filter((name) => extension.test(name)).map((name) => [name.replace(extension, '').normalize(), name]),
  );

const rawObject = ({ name, difficult, bbox, problem }: VocObject) => ({
  category: name,
  bbox,
  area: bbox[2] * bbox[3],
  iscrowd: 0 as const,
  ignore: difficult ? (1 as const) : (0 as const),
  problem,
});

async function readList(
  root: string,
  split: string,
  file: string,
  isStem: (stem: string) => boolean,
  findings: Findings,
): Promise<VocListEntry[]> {
  const text = await readFile(file, 'utf8').catch(async (error: unknown) => {
    const there = [...(await listFolder(join(root, 'ImageSets', 'Main')))]
      .filter((name) => name.endsWith('.txt'))
      .sort();
    throw new FinetuneError(
      {
        code: 'E_VOC_SPLIT',
        message: `there is no list "${split}"`,
        where: { file },
        fix:
          there.length > 0
            ? `the lists are: ${there.map((name) => name.slice(0, -4)).join(', ')}`
            : `is ${root} a VOC folder?`,
      },
      { cause: error },
    );
  });
  const seen = new Set<string>();
  return readVocList(text, isStem).filter(({ stem, line }) => {
    if (seen.has(stem))
      findings.count('image listed twice', () => ({ message: `"${stem}" again`, where: { file, line } }));
    return seen.size < seen.add(stem).size;
  });
}
