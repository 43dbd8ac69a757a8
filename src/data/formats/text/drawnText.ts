import { join } from 'node:path';
import { FinetuneError } from '../../../errors.js';
import { readOwnJson } from '../../../files/readOwnJson.js';
import { createFindings, type Findings } from '../../findings.js';
import type { Dataset, TextAnnotation } from '../../sample.js';
import { drawOnce } from '../../synthetic/drawOnce.js';
import type { TextImageRecord } from '../../synthetic/text/drawImage.js';
import { generateText } from '../../synthetic/text/generateText.js';
import { listPhotos } from '../../synthetic/text/photos.js';
import { hashSeed } from '../../../random.js';
import type { Format } from '../format.js';
import { buildText } from './buildText.js';

export interface DrawnTextData {
  readonly format: 'synthetic-text';
  readonly root?: string | undefined;
  readonly seed: number;
  readonly side: number;
  readonly photos?: string | undefined;
  readonly train: { readonly images: number };
  readonly val: { readonly images: number };
  readonly brokenImages?: 'error' | 'drop';
  readonly categories?: undefined;
}

/** Text drawn from a seed. */
export const syntheticText: Format<DrawnTextData> = {
  kind: 'text',
  isDrawn: true,
  open: (data, { signal, findingsOf }) => {
    const findings = { train: findingsOf('train'), val: findingsOf('val') };
    const [train, val] = [data.train.images, data.val.images];
    return openDrawnText({ ...data, train, val, signal, findings }).catch((error: unknown) => {
      findings.train.absorb(error);
      return {};
    });
  },
};

export interface DrawnTextOptions {
  /** Folder of the set. Default: a folder in the user's cache, named after everything that determines the images. */
  readonly root?: string | undefined;
  readonly seed: number;
  /** Numbers of images to draw for training and for validation. */
  readonly train: number;
  readonly val: number;
  /** Side of the square images, pixels. */
  readonly side: number;
  /** Folder of photos that serve as backgrounds. */
  readonly photos?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Collect the problems of the parts. */
  readonly findings?: { readonly train: Findings; readonly val: Findings };
}

/** Increased whenever the drawing changes, so that a cached set of an older version is not used. */
const VERSION = 1;

/** Open synthetic text; it is drawn on first use. Throws E_SYNTHETIC_ROOT if `root` holds something else, and E_PHOTOS. */
export async function openDrawnText({ root, seed, train, val, side, photos, signal, findings }: DrawnTextOptions) {
  const files = photos === undefined ? [] : await listPhotos(photos);
  const wanted = {
    version: VERSION,
    seed,
    train,
    val,
    side,
    photos: files.length === 0 ? 0 : hashSeed(files.length, files.join('\n')),
  };
  const set = {
    root,
    name: `text-${Object.values(wanted).join('-')}`,
    stamp: JSON.stringify(wanted),
    stampFile: 'text.json',
    noun: 'set of synthetic text',
  };
  const dir = await drawOnce(set, async (folder) => {
    for (const part of ['train', 'val'] as const)
      await generateText({ root: folder, part, seed, side, photos: files }, wanted[part], { signal });
  });
  return { train: await openPart(dir, 'train', findings?.train), val: await openPart(dir, 'val', findings?.val) };
}

async function openPart(
  dir: string,
  part: 'train' | 'val',
  findings = createFindings(),
): Promise<Dataset<TextAnnotation>> {
  const file = join(dir, `words_${part}.json`);
  const fix = 'remove the folder of the drawn images: they are drawn again';
  const images = await readOwnJson(file, { parse: recordsOf, fix });
  if (!images)
    throw new FinetuneError({ code: 'E_FILE_DAMAGED', message: 'this file is missing', where: { file }, fix });
  const raw = images.map(({ file, width, height, words }, index) => ({
    imageId: index + 1,
    file: join(dir, 'images', part, file),
    fileName: file,
    width,
    height,
    words: words.map((word) => ({ ...word, dontCare: false })),
  }));
  return buildText(`synthetic text ${part}`, raw, findings);
}

/** The images of words_{part}.json. Throws if it lists anything else. */
function recordsOf(content: unknown): readonly TextImageRecord[] {
  const { images } = content as { readonly images: readonly TextImageRecord[] };
  const isRecord = ({ file, width, height, words }: TextImageRecord): boolean =>
    typeof file === 'string' &&
    [width, height].every((side) => side > 0) &&
    words.every(({ outline, characters }) => outline.length >= 6 && Array.isArray(characters));
  if (!images.every(isRecord)) throw new TypeError('not a list of drawn images');
  return images;
}
