import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import pLimit from 'p-limit';
import { FinetuneError } from '../errors.js';
import { createFindings, type Findings } from './findings.js';
import { readImageSize } from './image.js';
import { listFolder } from './imageFiles.js';
import { buildDataset, numberCategories, selectCategories, type DropPolicies, type RawImage } from './rawDataset.js';
import type { Category, Dataset } from './sample.js';
import { readVocFile, type VocObject } from './vocFile.js';

export interface VocOptions extends DropPolicies {
  /** The folder with Annotations/, ImageSets/Main/ and JPEGImages/. */
  readonly root: string;
  /** A list in ImageSets/Main, without `.txt`. */
  readonly split: string;
  /** Names to learn, in the order of the model's classes; without it those of the split, sorted. */
  readonly categories?: readonly string[];
}

/** A split as read, before its categories are known: train and validation must agree on them. */
export interface VocSplit {
  readonly names: readonly string[];
  /** Check against the categories to learn; throws the problems that are left. */
  build(categories: readonly Category[]): Dataset;
}

/** Open one split of a Pascal VOC data set. 1-based inclusive corners become 0-based Xyxy pixels (xmin−1, ymin−1, xmax,
 *  ymax), clipped to the image; difficult objects are ignored ones; a wrong <size> is mended from the image's header
 *  and counted. Category ids are class index + 1, image ids file stems. `toCoco()` has the unclipped boxes.
 *  Throws every problem at once: E_VOC_SPLIT, E_VOC_MISSING, _XML, _OBJECT, _BOX, E_IMAGE_MISSING, E_IMAGE_DECODE, and
 *  E_DATA_CATEGORY for a name that the split does not have. */
export async function openVoc({ root, split, categories, ...policies }: VocOptions): Promise<Dataset> {
  const read = await readVocSplit(root, split, policies);
  const available = numberCategories(read.names);
  return read.build(categories ? numberCategories(chosen(available, categories, root)) : available);
}

const chosen = (available: readonly Category[], wanted: readonly string[], root: string): string[] =>
  selectCategories(available, wanted, join(resolve(root), 'Annotations')).map(({ name }) => name);

export interface VocSplits {
  readonly train: string;
  readonly val: string;
  readonly test?: string | undefined;
}

/** Open the splits to train, validate and test on with the same categories: those given, or all of theirs, sorted. */
export async function openVocSplits(
  root: string,
  splits: VocSplits,
  { categories, ...policies }: DropPolicies & { readonly categories?: readonly string[] },
): Promise<{ train: Dataset; val: Dataset; test?: Dataset }> {
  const train = await readVocSplit(root, splits.train, policies);
  const val = await readVocSplit(root, splits.val, policies);
  const test = splits.test === undefined ? undefined : await readVocSplit(root, splits.test, policies);
  const available = numberCategories([...new Set([train, val, test].flatMap((split) => split?.names ?? []))].sort());
  const wanted = categories ? numberCategories(chosen(available, categories, root)) : available;
  return { train: train.build(wanted), val: val.build(wanted), ...(test && { test: test.build(wanted) }) };
}

/** Files open at a time while annotations and image headers are read. */
const OPEN_FILES = 16;

async function readVocSplit(folder: string, split: string, policies: DropPolicies): Promise<VocSplit> {
  const { invalidBoxes = 'error', brokenImages = 'error' } = policies;
  const root = resolve(folder);
  const findings = createFindings();
  const listFile = join(root, 'ImageSets', 'Main', `${split}.txt`);
  const stems = await readList(root, split, listFile, findings);
  const annotated = await listFolder(join(root, 'Annotations'));
  const imageNames = await listFolder(join(root, 'JPEGImages'));

  const limit = pLimit(OPEN_FILES);
  const readOne = async ({ stem, line }: { stem: string; line: number }) => {
    const where = { file: listFile, line };
    if (!annotated.has(`${stem}.xml`)) {
      findings.problem({ code: 'E_VOC_MISSING', message: `Annotations/${stem}.xml is not there`, where });
      return;
    }
    const imageName = extensions.map((extension) => stem + extension).find((name) => imageNames.has(name));
    if (!imageName) {
      const fix = 'or set data.brokenImages: drop (the report counts them)';
      findings.report(brokenImages, 'image missing', () => ({
        code: 'E_IMAGE_MISSING',
        message: `JPEGImages has no image "${stem}" (.jpg, .jpeg or .png)`,
        where,
        fix,
      }));
      return;
    }
    const annotation = await readVocFile(join(root, 'Annotations', `${stem}.xml`), invalidBoxes, findings);
    const file = join(root, 'JPEGImages', imageName);
    const size = await readImageSize(file).catch((error: unknown) => {
      if (!(error instanceof FinetuneError)) throw error;
      findings.report(brokenImages, 'image cannot be decoded', () => error.problems[0]!);
    });
    if (!annotation || !size) return;
    if (annotation.size?.width !== size.width || annotation.size.height !== size.height)
      findings.count("wrong <size> mended from the image's header");
    return { stem, imageName, file, size, objects: annotation.objects };
  };
  const images = (await Promise.all(stems.map((item) => limit(readOne, item)))).filter((image) => image !== undefined);
  findings.throwIfAny();

  return {
    names: [...new Set(images.flatMap(({ objects }) => objects.map(({ name }) => name)))].sort(),
    build: (categories) => {
      let id = 0;
      const raw = images.map(({ stem, imageName, file, size, objects }): RawImage => {
        const numbered = objects.map((object) => ({ ...rawObject(object), id: ++id }));
        return { imageId: stem, file, fileName: imageName, ...size, objects: numbered };
      });
      const dataset = buildDataset(`voc ${split}`, categories, raw, findings, { invalidBoxes });
      findings.throwIfAny();
      return dataset;
    },
  };
}

const extensions = ['.jpg', '.jpeg', '.png', '.JPG', '.JPEG', '.PNG'];

const rawObject = ({ name, difficult, bbox, problem }: VocObject) => ({
  category: name,
  bbox,
  area: bbox[2] * bbox[3],
  iscrowd: 0 as const,
  ignore: difficult ? (1 as const) : (0 as const),
  problem,
});

/** The stems of a list with their line numbers. A per-class list ("000012 -1") counts with all its images: those without the class are negatives. */
async function readList(root: string, split: string, file: string, findings: Findings) {
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
            ? `there is: ${there.map((name) => name.slice(0, -4)).join(', ')}`
            : `is ${root} a VOC folder?`,
      },
      { cause: error },
    );
  });
  const stems = new Map<string, number>();
  text.split('\n').forEach((row, index) => {
    const stem = row.trim().split(/\s+/)[0]!;
    if (stem === '') return;
    if (stems.has(stem)) findings.count('image listed twice');
    else stems.set(stem, index + 1);
  });
  return [...stems].map(([stem, line]) => ({ stem, line }));
}
