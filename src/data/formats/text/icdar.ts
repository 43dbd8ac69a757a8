import { join, resolve } from 'node:path';
import { FinetuneError, type Problem } from '../../../errors.js';
import type { Findings } from '../../findings.js';
import { readImageSize } from '../../image/image.js';
import { IMAGE_EXTENSION, listFolder } from '../../image/imageFiles.js';
import type { Dataset, TextAnnotation, TextWord } from '../../sample.js';
import { buildText, type RawTextImage } from './buildText.js';
import { equalSplit } from './equalSplit.js';
import { readTextFiles, type TextFile } from './icdarArchive.js';
import { readTruth } from './icdarTruth.js';
import { pairNames, type Pair } from './imageNames.js';
import type { Word } from './layout.js';
import type { LayoutName } from './layouts.js';

export interface IcdarPart {
  /** Folder of the images. */
  readonly images: string;
  /** Folder or zip of the text files. */
  readonly truth: string;
  readonly name: string;
  readonly brokenImages?: 'error' | 'drop';
  /** How words without character boxes are used. `split`: the outline is cut into equal parts, one for each letter, with
   *  confidence ½. `mask`: the word is masked out of the training loss. */
  readonly characters?: 'mask' | 'split';
  /** `false`: the files have no transcriptions, whatever they hold in their place. */
  readonly transcriptions?: boolean;
  /** Layout of the text files; `auto` decides where only one is possible (default). */
  readonly layout?: LayoutName | 'auto';
  /** Selects images by their index in the order of names, so that some can be held out. */
  readonly keep?: (index: number) => boolean;
  /** Whether images of the folder without a text file are counted as left out (default: true). */
  readonly countOthers?: boolean;
}

const isImage = (name: string): boolean => IMAGE_EXTENSION.test(name);

/** Read a part of an ICDAR challenge, Total-Text or CTW1500; layouts.ts has the layouts of their text files. Problems go
 *  to `findings`: E_ICDAR_LAYOUT, _LINE, _BOX, _NAME, E_ENCODING, E_IMAGE_MISSING (dropped on demand). Throws
 *  E_ICDAR_FILE, _ZIP, _LIMIT. */
export async function readIcdarPart(part: IcdarPart, findings: Findings): Promise<Dataset<TextAnnotation>> {
  const { name, characters = 'mask', transcriptions = true, layout = 'auto', keep = () => true } = part;
  const { brokenImages = 'error' } = part;
  const [folder, truth] = [resolve(part.images), resolve(part.truth)];
  const images = [...(await listFolder(folder))].filter(isImage);
  const files = await readTextFiles(truth);
  const byName = new Map(files.map((file) => [file.name, file]));
  if (byName.size < files.length) findings.problem(twice(files));
  const { pairs, left } = pairNames([...byName.keys()], images);
  const sorted = pairs.map((pair) => byName.get(pair.name)!);
  const reading = { layout, transcriptions, keep, option: 'data.layout:', official: false };
  const { words } = readTruth(sorted, reading, findings);
  if (files.length > 0 && (part.countOthers ?? true))
    for (const image of left)
      findings.count('image without a text file, left out', () => ({
        message: 'an image without text has an empty text file',
        where: { file: join(folder, image.name) },
      }));
  const kept = pairs.filter((_, i) => keep(i));
  const fileOf = ({ name: text }: Pair) => byName.get(text)!.file;
  reportUnpaired(kept, fileOf, { folder, brokenImages }, findings);
  const raw = await Promise.all(
    kept.map(async (pair, i): Promise<RawTextImage | undefined> => {
      if (pair.partner === undefined) return undefined;
      const path = join(folder, pair.partner);
      const size = await readImageSize(path).catch((error: unknown) => {
        if (!(error instanceof FinetuneError)) throw error;
        findings.report(brokenImages, 'image cannot be decoded', () => error.problems[0]!);
      });
      const toWords = () => words[i]!.map((word) => toWord(word, characters, transcriptions));
      return size ? { imageId: pair.id, file: path, fileName: pair.partner, ...size, words: toWords() } : undefined;
    }),
  );
  const found = raw.filter((image) => image !== undefined);
  if (found.length === 0 && findings.problems().length === 0)
    findings.problem({ code: 'E_DATA_EMPTY', message: `${name} has no images`, where: { file: truth } });
  return buildText(name, found, findings);
}

/** Reports text files whose image is not certain, and, as one problem, those that have none. */
function reportUnpaired(
  pairs: readonly Pair[],
  fileOf: (pair: Pair) => string,
  { folder, brokenImages }: { readonly folder: string; readonly brokenImages: 'error' | 'drop' },
  findings: Findings,
): void {
  const unpaired = pairs.filter(({ partner }) => partner === undefined);
  for (const pair of unpaired.filter(({ rivals }) => rivals.length > 0)) {
    const message = `it is not certain which image in ${folder} this file is of: ${pair.rivals.join(', ')} could be of the same one`;
    const fix = 'give the image and its text file the same name: gt_img_1.txt for img_1.jpg';
    findings.problem({ code: 'E_ICDAR_NAME', message, where: { file: fileOf(pair) }, fix });
  }
  const missing = unpaired.filter(({ rivals }) => rivals.length === 0);
  const [first] = missing;
  if (!first) return;
  const others = missing.length > 1 ? `; likewise ${missing.length - 1} more of ${pairs.length} files` : '';
  const problem: Problem = {
    code: 'E_IMAGE_MISSING',
    message: `there is no image for this file in ${folder}${others}`,
    where: { file: fileOf(first) },
    fix: 'check the folders, or set data.brokenImages: drop (the report counts them)',
  };
  findings.report(brokenImages, 'image missing', () => problem, missing.length);
}

function twice(files: readonly TextFile[]): Problem {
  const second = files.find(({ name }, i) => files.findIndex((other) => other.name === name) < i)!;
  const first = files.find(({ name }) => name === second.name)!;
  const message = `this file and ${first.file} have the same name`;
  return { code: 'E_ICDAR_NAME', message, where: { file: second.file } };
}

function toWord(
  { isRectangle, points, transcription, dontCare }: Word,
  characters: 'mask' | 'split',
  transcriptions: boolean,
): TextWord {
  const [left, top, right, bottom] = points as [number, number, number, number];
  const outline = isRectangle ? [left, top, right, top, right, bottom, left, bottom] : [...points];
  const word = { text: dontCare || !transcriptions ? '' : transcription, outline, dontCare };
  const letters = word.text.replaceAll(/\s/g, '').length; // spaces have no box
  if (characters === 'mask' || dontCare || letters === 0) return word;
  const cut = equalSplit(outline, letters);
  return cut ? { ...word, characters: cut, confidence: SPLIT_CONFIDENCE } : word;
}

/** Confidence of characters whose boxes were only estimated: Baek et al. 2019 (arXiv:1904.01941), section 3.2.2. */
const SPLIT_CONFIDENCE = 0.5;
