import { join, resolve } from 'node:path';
import type { Findings } from '../findings.js';
import { readImageSize } from '../image.js';
import { listFolder } from '../imageFiles.js';
import type { Dataset, TextWord } from '../sample.js';
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
  { images, truth, name, brokenImages = 'error', keep = () => true }: IcdarPart,
  findings: Findings,
): Promise<Dataset> {
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
      return size ? { imageId, file: path, fileName, ...size, words: words[i]!.map(toWord) } : undefined;
    }),
  );
  const found = raw.filter((image) => image !== undefined);
  if (found.length === 0 && findings.problems().length === 0)
    findings.problem({ code: 'E_DATA_EMPTY', message: `${name} has no images`, where: { file: resolve(truth) } });
  return buildText(name, found, findings);
}

const toWord = ({
  isRectangle,
  points,
  transcription,
  dontCare,
}: ReturnType<typeof readTruth>['words'][number][number]): TextWord => {
  const [left, top, right, bottom] = points as [number, number, number, number];
  const outline = isRectangle ? [left, top, right, top, right, bottom, left, bottom] : [...points];
  return { text: dontCare ? '' : transcription, outline, dontCare };
};
