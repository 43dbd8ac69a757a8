import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import pLimit from 'p-limit';
import { createFindings, type Findings } from '../data/findings.js';
import { listFolder } from '../data/image/imageFiles.js';
import { readVocList } from '../data/formats/vocList.js';
import { FinetuneError, type Problem } from '../errors.js';
import { decodeUtf8, toNumber } from '../data/formats/textFile.js';
import { parseVocXml, type InclusiveCorners, type VocXmlObject } from '../data/formats/vocXml.js';

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
  const list = join(root, 'ImageSets', 'Main', `${split}.txt`);
  const bytes = await readFile(list).catch((error: unknown) => {
    const fix = `is ${root} a folder with Annotations/ and ImageSets/Main/?`;
    const problem = {
      code: 'E_VOC_SPLIT' as const,
      message: `there is no list "${split}"`,
      where: { file: list },
      fix,
    };
    throw new FinetuneError(problem, { cause: error });
  });
  const folder = join(root, 'Annotations');
  const annotated = await listFolder(folder);
  const lineOf = new Map<string, number>();
  for (const { stem, line } of readVocList(decodeUtf8(bytes, list), (name) => annotated.has(`${name}.xml`)))
    if (!lineOf.has(stem)) lineOf.set(stem, line);
  const findings = createFindings();
  const limit = pLimit(OPEN_FILES);
  const read = async ([stem, line]: [string, number]): Promise<VocTruthImage | undefined> => {
    const file = join(folder, `${stem}.xml`);
    const isInside = !relative(folder, file).startsWith('..');
    const xml = isInside ? await readFile(file).catch(() => undefined) : undefined;
    if (xml) return parseAnnotation(decodeUtf8(xml, file), file, stem, findings);
    const message = `Annotations/${stem}.xml does not exist`;
    findings.problem({ code: 'E_VOC_MISSING', message, where: { file: list, line } });
    return undefined;
  };
  const images = (await Promise.all([...lineOf].map((entry) => limit(read, entry)))).filter(
    (image) => image !== undefined,
  );
  findings.throwIfAny();
  const classes = new Set(images.flatMap(({ objects }) => objects.map(({ name }) => name)));
  return { images, classes: [...classes].sort() };
}

/** Names of all objects in Annotations/, sorted: the numbering of a model that was trained on any split. */
export async function readAllNames(root: string): Promise<string[]> {
  const folder = join(root, 'Annotations');
  const limit = pLimit(OPEN_FILES);
  const names = new Set<string>();
  const files = (await readdir(folder)).filter((name) => name.endsWith('.xml'));
  const scan = async (file: string) => {
    const text = await readFile(join(folder, file), 'utf8');
    for (const [, name] of text.matchAll(/<object>\s*<name>\s*([^<]*?)\s*<\/name>/g)) names.add(name!);
  };
  await Promise.all(files.map((file) => limit(scan, file)));
  return [...names].sort();
}

function parseAnnotation(text: string, file: string, stem: string, findings: Findings): VocTruthImage | undefined {
  const annotation = parseVocXml(text, file, findings);
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
