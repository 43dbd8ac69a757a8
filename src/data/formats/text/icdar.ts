import { join, resolve } from 'node:path';
import type { Findings } from '../../findings.js';
import { readImageSize } from '../../image/image.js';
import { listFolder } from '../../image/imageFiles.js';
import type { Dataset, TextAnnotation, TextWord } from '../../sample.js';
import { buildText, type RawTextImage } from './buildText.js';
import { readTextFiles } from './icdarArchive.js';
import { readTruth } from './icdarTruth.js';

export interface IcdarPart {
  /** Folder of the images. */
  readonly images: string;
  /** Folder or zip of the text files. */
  readonly truth: string;
  readonly name: string;
  readonly brokenImages?: 'error' | 'drop';
  /** `split`: a word's quad is cut equally by the number of its letters, with confidence ½; `mask`: it teaches nothing. */
  readonly characters?: 'mask' | 'split';
  /** `false`: what the words say is not in the files, whatever they hold in its place. */
  readonly transcriptions?: boolean;
  /** Takes the images whose place in the order of names leaves this remainder: to hold some back. */
  readonly keep?: (index: number) => boolean;
}

/** gt_img_12.txt, gt_12.txt, poly_gt_img12.txt, img_12.txt and img_12.jpg.txt belong to img_12.jpg or 12.jpg. */
const stemOf = (name: string): string =>
  name
    .replace(/(\.(jpe?g|png|gif|bmp|webp))?\.txt$/i, '')
    .replace(/^(?:poly_)?gt_/i, '')
    .replace(/\.(jpe?g|png|gif|bmp|webp)$/i, '');
const numberOf = (stem: string): string => /^(?:img|image|ts|tr)?_?0*(\d+)$/i.exec(stem)?.[1] ?? stem;
const isImage = (name: string): boolean => /\.(jpe?g|png|gif|bmp|webp)$/i.test(name);

/** Read a part of an ICDAR challenge: 2013 (rectangles, by blanks or commas), 2015 and 2017-MLT (quads), Total-Text and CTW1500 as
 *  polygons. `###` is don't-care; MLT's second text field, the script, is left out of the transcription.
 *  Every problem goes to `findings`: E_ICDAR_FILE, _ZIP, _LIMIT, _LINE, _BOX, E_ENCODING, E_IMAGE_MISSING (dropped on demand). */
export async function readIcdarPart(
  {
    images,
    truth,
    name,
    brokenImages = 'error',
    characters = 'mask',
    transcriptions = true,
    keep = () => true,
  }: IcdarPart,
  findings: Findings,
): Promise<Dataset<TextAnnotation>> {
  const folder = resolve(images);
  const byNumber = new Map(
    [...(await listFolder(folder))].filter(isImage).map((file) => [numberOf(stemOf(file)), file]),
  );
  const files = (await readTextFiles(resolve(truth)))
    .sort((a, b) => Number(numberOf(stemOf(a.name))) - Number(numberOf(stemOf(b.name))) || 0)
    .filter((_, i) => keep(i));
  const { words } = readTruth(files, findings);
  const raw = await Promise.all(
    files.map(async ({ name: textFile, file }, i): Promise<RawTextImage | undefined> => {
      const imageId = numberOf(stemOf(textFile));
      const fileName = byNumber.get(imageId);
      if (fileName === undefined) {
        findings.report(brokenImages, 'image missing', () => ({
          code: 'E_IMAGE_MISSING',
          message: `there is no image for it in ${folder}`,
          where: { file },
          fix: 'check the folders, or set data.brokenImages: drop (the report counts them)',
        }));
        return undefined;
      }
      const path = join(folder, fileName);
      const size = await readImageSize(path).catch((error: unknown) => findings.absorb(error));
      return size
        ? {
            imageId,
            file: path,
            fileName,
            ...size,
            words: words[i]!.map((word) => toWord(word, characters, transcriptions)),
          }
        : undefined;
    }),
  );
  const found = raw.filter((image) => image !== undefined);
  if (found.length === 0 && findings.problems().length === 0)
    findings.problem({ code: 'E_DATA_EMPTY', message: `${name} has no images`, where: { file: resolve(truth) } });
  return buildText(name, found, findings);
}

function toWord(
  { isRectangle, points, transcription, dontCare }: ReturnType<typeof readTruth>['words'][number][number],
  characters: 'mask' | 'split',
  transcriptions: boolean,
): TextWord {
  const [left, top, right, bottom] = points as [number, number, number, number];
  const outline = isRectangle ? [left, top, right, top, right, bottom, left, bottom] : [...points];
  const word = { text: dontCare || !transcriptions ? '' : transcription, outline, dontCare };
  const letters = word.text.replaceAll(/\s/g, '').length; // spaces do not count
  if (characters === 'mask' || dontCare || letters === 0 || outline.length !== 8) return word;
  return { ...word, characters: equalSplit(outline, letters), confidence: SPLIT_CONFIDENCE };
}

/** Of characters that were not seen but counted: Baek et al. 2019 (arXiv:1904.01941), section 3.2.2. */
const SPLIT_CONFIDENCE = 0.5;

/** A word's quad cut across its reading direction into so many of equal width; downwards where it is much higher than wide. */
export function equalSplit(quad: readonly number[], count: number): number[][] {
  const [ax, ay, bx, by, cx, cy, dx, dy] = quad as [number, number, number, number, number, number, number, number];
  const [wide, high] = [Math.hypot(bx - ax, by - ay), Math.hypot(dx - ax, dy - ay)];
  const down = count > 1 && high > 1.5 * wide;
  const [px, py, qx, qy] = down ? [dx, dy, bx, by] : [bx, by, dx, dy]; // ends of the two long sides, that begin at a and at q
  const at = (t: number): [number, number, number, number] => [
    ax + (px - ax) * t,
    ay + (py - ay) * t,
    qx + (cx - qx) * t,
    qy + (cy - qy) * t,
  ];
  return Array.from({ length: count }, (_, i) => {
    const [x1, y1, u1, v1] = at(i / count);
    const [x2, y2, u2, v2] = at((i + 1) / count);
    return down ? [x1, y1, u1, v1, u2, v2, x2, y2] : [x1, y1, x2, y2, u2, v2, u1, v1];
  });
}
