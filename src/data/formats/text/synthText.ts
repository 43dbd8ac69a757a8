import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { FinetuneError } from '../../../errors.js';
import { leavesFolder } from '../../../safePath.js';
import type { Findings } from '../../findings.js';
import { findImages } from '../../image/findImages.js';
import { readImageSize } from '../../image/image.js';
import { reportImages } from '../../image/reportImages.js';
import type { Dataset, TextAnnotation, TextWord } from '../../sample.js';
import type { SplitOptions } from '../../split/split.js';
import type { Format, Parts, ReadOptions } from '../format.js';
import { buildText, type RawTextImage } from './buildText.js';
import { readMat, type MatValue } from './matFile.js';

/** gt.mat and its images in `root`. Every n-th image, n = `every`, is held out for validation. */
export interface SynthTextData {
  readonly format: 'synthtext';
  readonly root: string;
  readonly val: { readonly every: number };
  readonly split?: SplitOptions | null | undefined;
  readonly brokenImages?: 'error' | 'drop';
  readonly categories?: undefined;
}

/** SynthText (Gupta et al. 2016, arXiv:1604.06646). */
export const synthtext: Format<SynthTextData> = { kind: 'text', open: openSynthText };

async function openSynthText(
  { root, val: { every }, brokenImages = 'error' }: SynthTextData,
  { findingsOf, skip = [] }: ReadOptions,
): Promise<Parts> {
  const opened: Parts = {};
  const whole = skip.includes('val');
  for (const name of whole ? (['train'] as const) : (['train', 'val'] as const)) {
    const findings = findingsOf(name);
    const keep = (index: number): boolean => whole || (index % every === every - 1) === (name === 'val');
    const part = { root, name: `SynthText ${name}`, keep, brokenImages };
    const dataset = await readSynthText(part, findings).catch((error: unknown) => findings.absorb(error));
    if (dataset) opened[name] = dataset;
    if (dataset?.annotations.length !== 0 || findings.problems().length > 0) continue;
    findings.problem({
      code: 'E_DATA_EMPTY',
      message: `${dataset.name} has no images`,
      where: { file: join(root, 'gt.mat') },
    });
  }
  return opened;
}

export interface SynthTextPart {
  /** Folder with gt.mat and the images. */
  readonly root: string;
  readonly name: string;
  readonly brokenImages?: 'error' | 'drop';
  /** Selects images by their index in the file. */
  readonly keep?: (index: number) => boolean;
}

/** Read a part of SynthText (Gupta et al. 2016, arXiv:1604.06646). For every image, gt.mat has its name, the quads of
 *  the words and of the characters, and the texts, each of which may hold several words and lines. The characters of
 *  the texts without white space belong to the quads in their order. Problems go to `findings`: E_IMAGE_MISSING
 *  (dropped on demand), E_SYNTHTEXT if the counts differ. Throws E_MAT, E_SYNTHTEXT. */
export async function readSynthText(
  { root, name, brokenImages = 'error', keep = () => true }: SynthTextPart,
  findings: Findings,
): Promise<Dataset<TextAnnotation>> {
  const file = join(resolve(root), 'gt.mat');
  const bytes = await readFile(file).catch((error: unknown) => {
    throw new FinetuneError(
      { code: 'E_SYNTHTEXT', message: 'the file cannot be read', where: { file } },
      { cause: error },
    );
  });
  const variables = readMat(bytes, file);
  const cellsOf = (variable: string): readonly MatValue[] => {
    const value = variables.get(variable);
    if (value?.kind === 'cells') return value.cells;
    throw new FinetuneError({
      code: 'E_SYNTHTEXT',
      message: `the file has no cell array "${variable}"`,
      where: { file },
    });
  };
  const [names, wordBoxes, charBoxes, texts] = ['imnames', 'wordBB', 'charBB', 'txt'].map(cellsOf) as [
    readonly MatValue[],
    readonly MatValue[],
    readonly MatValue[],
    readonly MatValue[],
  ];
  const folder = resolve(root);
  const fileNames = names.map((cell) => textOf(cell).join(''));
  const wanted = fileNames.filter((fileName, i) => keep(i) && !leavesFolder(fileName));
  const found = await findImages(wanted, { folder });
  await reportImages(found, { folder, root: folder, brokenImages, whereOf: () => ({ file }) }, findings);
  const raw = await Promise.all(
    fileNames.map(async (fileName, i): Promise<RawTextImage | undefined> => {
      if (!keep(i)) return undefined;
      const words = wordsOf(quadsOf(wordBoxes[i]), quadsOf(charBoxes[i]), textOf(texts[i]));
      if (!words) {
        const message = `the texts of ${fileName} do not have as many words or characters as there are quads`;
        findings.problem({ code: 'E_SYNTHTEXT', message, where: { file } });
        return undefined;
      }
      if (leavesFolder(fileName)) {
        const message = `image "${fileName}" lies outside of ${root}`;
        findings.problem({ code: 'E_SYNTHTEXT', message, where: { file } });
        return undefined;
      }
      const path = found.get(fileName)!.file;
      if (path === undefined) return undefined;
      const size = await readImageSize(path).catch((error: unknown) => {
        if (!(error instanceof FinetuneError)) throw error;
        findings.report(brokenImages, 'image cannot be decoded', () => error.problems[0]!);
      });
      return size ? { imageId: fileName, file: path, fileName, ...size, words } : undefined;
    }),
  );
  return buildText(
    name,
    raw.filter((image) => image !== undefined),
    findings,
  );
}

const textOf = (value: MatValue | undefined): string[] => {
  if (value?.kind === 'text') return [...value.rows];
  return value?.kind === 'cells' ? value.cells.flatMap(textOf) : [];
};

/** Quads of an array 2 × 4 × N in column-major order: x and y of each corner, corner after corner. */
function quadsOf(value: MatValue | undefined): number[][] {
  if (value?.kind !== 'numbers') return [];
  return Array.from({ length: value.data.length / 8 }, (_, i) => [...value.data.subarray(8 * i, 8 * i + 8)]);
}

/** The words with their quads; undefined if the numbers of words, characters and quads differ. */
function wordsOf(
  quads: readonly number[][],
  characters: readonly number[][],
  texts: readonly string[],
): TextWord[] | undefined {
  const words = texts.flatMap((text) => text.split(/\s+/)).filter((word) => word !== '');
  let at = 0;
  const built = words.map((text, i): TextWord => {
    const own = characters.slice(at, (at += Array.from(text).length));
    return { text, outline: quads[i] ?? [], characters: own, dontCare: false };
  });
  return words.length === quads.length && at === characters.length ? built : undefined;
}
