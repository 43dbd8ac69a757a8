import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { parseXml, XmlElement, XmlError } from '@rgrove/parse-xml';
import pLimit from 'p-limit';
import { createFindings, type Findings } from '../data/findings.js';
import { listFolder } from '../data/image/imageFiles.js';
import { readVocList } from '../data/formats/vocList.js';
import { FinetuneError, type Where } from '../errors.js';
import { decodeUtf8, toNumber } from '../data/formats/textFile.js';
import type { InclusiveCorners } from './voc.js';

interface VocTruthObject {
  readonly name: string;
  readonly difficult: boolean;
  /** As the file has them: 1-based, inclusive. */
  readonly corners: InclusiveCorners;
}

interface VocTruthImage {
  readonly stem: string;
  /** What <size> says, 0 if nothing. */
  readonly width: number;
  readonly height: number;
  readonly objects: readonly VocTruthObject[];
}

/** One split as the devkit sees it. Unlike data/voc.ts this needs no images and keeps boxes of one pixel: they have an area here. */
export interface VocTruth {
  readonly images: readonly VocTruthImage[];
  /** Names of the split, sorted. */
  readonly classes: readonly string[];
}

const OPEN_FILES = 16;

/** Read Annotations/ of the images that ImageSets/Main/<split>.txt lists.
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
    const message = `Annotations/${stem}.xml is not there`;
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

/** Names of all objects in Annotations/, sorted: what a model trained on any split may have numbered. */
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
  const root = parse(text, file, findings);
  if (!root) return undefined;
  const locate = (element: XmlElement): Where => ({ file, line: text.slice(0, element.start).split('\n').length });
  const objects = childrenOf(root, 'object').flatMap((element, index): VocTruthObject[] => {
    const name = textOf(element, 'name');
    const subject = `object ${index + 1}${name ? ` "${name}"` : ''}`;
    const box = childrenOf(element, 'bndbox')[0];
    const corners = ['xmin', 'ymin', 'xmax', 'ymax'].map((corner) => box && toNumber(textOf(box, corner) ?? ''));
    const [xmin, ymin, xmax, ymax] = corners;
    if (!name || xmin === undefined || ymin === undefined || xmax === undefined || ymax === undefined) {
      const message = `${subject} has no ${name ? '<bndbox> of four numbers' : '<name>'}`;
      findings.problem({ code: 'E_VOC_OBJECT', message, where: locate(box ?? element) });
      return [];
    }
    if (xmax < xmin || ymax < ymin) {
      const message = xmax < xmin ? `xmax (${xmax}) < xmin (${xmin})` : `ymax (${ymax}) < ymin (${ymin})`;
      findings.problem({ code: 'E_VOC_BOX', message: `${message} in ${subject}`, where: locate(box!) });
      return [];
    }
    return [{ name, difficult: textOf(element, 'difficult') === '1', corners: [xmin, ymin, xmax, ymax] }];
  });
  const size = childrenOf(root, 'size')[0];
  const side = (name: string) => (size && toNumber(textOf(size, name) ?? '')) ?? 0;
  return { stem, width: side('width'), height: side('height'), objects };
}

function parse(text: string, file: string, findings: Findings): XmlElement | undefined {
  try {
    const { root } = parseXml(text, { includeOffsets: true });
    if (root?.name === 'annotation') return root;
    const message = `the root is <${root?.name ?? ''}>, not <annotation>`;
    findings.problem({ code: 'E_VOC_XML', message, where: { file } });
  } catch (error) {
    if (!(error instanceof XmlError)) throw error;
    const message = `not XML: ${error.message.split('\n')[0]!.replace(/ \(line \d+, column \d+\)/, '')}`;
    findings.problem({ code: 'E_VOC_XML', message, where: { file, line: error.line, column: error.column } });
  }
  return undefined;
}

const childrenOf = (element: XmlElement, name: string): XmlElement[] =>
  element.children.filter((child): child is XmlElement => child instanceof XmlElement && child.name === name);

const textOf = (element: XmlElement, name: string): string | undefined =>
  childrenOf(element, name)[0]?.text.trim() || undefined;
