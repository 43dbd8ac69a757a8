import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import pLimit from 'p-limit';
import { decodeXml } from '../data/formats/decodeText.js';
import { indexByStem } from '../data/formats/stemIndex.js';
import { toNumber } from '../data/formats/textFile.js';
import { reportEntries, sortEntries, type SoundEntry } from '../data/formats/vocEntries.js';
import { listOf, readListLines, readVocList } from '../data/formats/vocList.js';
import { readVocXml, type InclusiveCorners, type VocXmlObject } from '../data/formats/vocXml.js';
import { createFindings, type Findings } from '../data/findings.js';
import type { Problem } from '../errors.js';

interface VocTruthObject {
  readonly name: string;
  readonly difficult: boolean;
  /** 1-based and inclusive, as in the file. */
  readonly corners: InclusiveCorners;
}

interface VocTruthImage {
  readonly stem: string;
  /** Width and height of <size>; 0 if they are missing. */
  readonly width: number;
  readonly height: number;
  readonly objects: readonly VocTruthObject[];
}

/** One split as the devkit sees it. Unlike data/formats/voc.ts it needs no images, and keeps boxes of one pixel, which
 *  have an area here. */
export interface VocTruth {
  readonly images: readonly VocTruthImage[];
  /** Names of the split, sorted. */
  readonly classes: readonly string[];
}

const OPEN_FILES = 16;

/** Read the annotations of the images in ImageSets/Main/<split>.txt.
 *  Throws all problems at once: E_VOC_SPLIT, E_VOC_MISSING, E_VOC_XML, E_VOC_OBJECT, E_VOC_BOX, E_ENCODING. */
export async function readVocTruth(root: string, split: string): Promise<VocTruth> {
  const list = listOf(root, split);
  const folder = join(root, 'Annotations');
  const annotated = await indexByStem(folder, /\.xml$/i);
  const findings = createFindings();
  const lines = await readListLines(root, split);
  const entries = readVocList(lines, list, (stem) => annotated.find(stem).length > 0, findings);
  const sorted = sortEntries(entries, annotated, annotated); // the images themselves are not needed
  reportEntries(
    sorted,
    { root, file: list, all: entries.length, sample: annotated.files[0], brokenImages: 'error' },
    findings,
  );
  const limit = pLimit(OPEN_FILES);
  const read = ({ stem, xmlName }: SoundEntry) => readTruthImage(join(folder, xmlName), stem, findings);
  const images = (await Promise.all(sorted.sound.map((entry) => limit(read, entry)))).filter(
    (image) => image !== undefined,
  );
  findings.throwIfAny();
  const classes = new Set(images.flatMap(({ objects }) => objects.map(({ name }) => name)));
  return { images, classes: [...classes].sort() };
}

/** Names of all objects in Annotations/, sorted: the numbering of a model that was trained on any split. Throws
 *  E_ENCODING. */
export async function readAllNames(root: string): Promise<string[]> {
  const folder = join(root, 'Annotations');
  const limit = pLimit(OPEN_FILES);
  const names = new Set<string>();
  const { files } = await indexByStem(folder, /\.xml$/i);
  const scan = async (name: string) => {
    const file = join(folder, name);
    const text = decodeXml(await readFile(file), file);
    for (const [, found] of text.matchAll(/<object>\s*<name>\s*([^<]*?)\s*<\/name>/g)) names.add(found!);
  };
  await Promise.all(files.map((file) => limit(scan, file)));
  return [...names].sort();
}

async function readTruthImage(file: string, stem: string, findings: Findings): Promise<VocTruthImage | undefined> {
  const annotation = await readVocXml(file, findings);
  if (!annotation) return undefined;
  return {
    stem,
    width: toNumber(annotation.width ?? '') ?? 0,
    height: toNumber(annotation.height ?? '') ?? 0,
    objects: annotation.objects.flatMap((object) => checkObject(object, findings)),
  };
}

function checkObject(
  { name, difficult, corners = [], subject, locate }: VocXmlObject,
  findings: Findings,
): VocTruthObject[] {
  const [xmin, ymin, xmax, ymax] = corners.map((corner) => toNumber(corner ?? ''));
  const fail = (code: Problem['code'], message: string) => {
    const { file, line } = locate();
    findings.problem({ code, message, where: { file, line } });
    return [];
  };
  if (!name || xmin === undefined || ymin === undefined || xmax === undefined || ymax === undefined)
    return fail('E_VOC_OBJECT', `${subject} has no ${name ? '<bndbox> of four numbers' : '<name>'}`);
  if (xmax < xmin || ymax < ymin) {
    const order = xmax < xmin ? `xmax (${xmax}) < xmin (${xmin})` : `ymax (${ymax}) < ymin (${ymin})`;
    return fail('E_VOC_BOX', `${order} in ${subject}`);
  }
  return [{ name, difficult, corners: [xmin, ymin, xmax, ymax] }];
}
