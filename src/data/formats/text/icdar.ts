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
  /** How words without character boxes are used. `split`: the quad is cut into equal parts, one for each letter, with
   *  confidence ½. `mask`: the word is masked out of the training loss. */
  readonly characters?: 'mask' | 'split';
  /** `false`: the files have no transcriptions, whatever they hold in their place. */
  readonly transcriptions?: boolean;
  /** Selects images by their index in the order of names, so that some can be held out. */
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

/** Read a part of an ICDAR challenge: 2013 (rectangles, separated by blanks or commas), 2015 and 2017-MLT (quads), or
 *  Total-Text and CTW1500 as polygons. `###` marks a don't-care word; MLT's second text field, the script, is not part
 *  of the transcription. Problems go to `findings`: E_ICDAR_LINE, _BOX, E_ENCODING, E_IMAGE_MISSING (dropped on
 *  demand). Throws E_ICDAR_FILE, _ZIP, _LIMIT. */
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
          message: `there is no image for this file in ${folder}`,
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
  const letters = word.text.replaceAll(/\s/g, '').length; // spaces have no box
  if (characters === 'mask' || dontCare || letters === 0 || outline.length !== 8) return word;
  return { ...word, characters: equalSplit(outline, letters), confidence: SPLIT_CONFIDENCE };
}

/** Confidence of characters whose boxes were only estimated: Baek et al. 2019 (arXiv:1904.01941), section 3.2.2. */
const SPLIT_CONFIDENCE = 0.5;

/** Cuts a word's quad across its reading direction into `count` quads of equal width; a quad much higher than wide is
 *  read downwards. */
export function equalSplit(quad: readonly number[], count: number): number[][] {
  const [ax, ay, bx, by, cx, cy, dx, dy] = quad as [number, number, number, number, number, number, number, number];
  const [wide, high] = [Math.hypot(bx - ax, by - ay), Math.hypot(dx - ax, dy - ay)];
  const down = count > 1 && high > 1.5 * wide;
  const [px, py, qx, qy] = down ? [dx, dy, bx, by] : [bx, by, dx, dy]; // the long sides run from a to p and from q to c
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
