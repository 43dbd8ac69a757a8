import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { FinetuneError } from '../../../errors.js';
import { createFindings, type Findings } from '../../findings.js';
import { listFolder } from '../../image/imageFiles.js';
import type { Dataset, TextAnnotation } from '../../sample.js';
import type { TextImageRecord } from '../../synthetic/text/drawImage.js';
import { generateText } from '../../synthetic/text/generateText.js';
import { listPhotos } from '../../synthetic/text/photos.js';
import { hashSeed } from '../../../random.js';
import { buildText } from './buildText.js';

export interface DrawnTextOptions {
  /** Folder of the set; without it one in the user's cache, named by all that decides about the images. */
  readonly root?: string | undefined;
  readonly seed: number;
  /** How many images to draw for training, and how many for validation. */
  readonly train: number;
  readonly val: number;
  /** Side of the images, pixels. */
  readonly side: number;
  /** Folder of photos to write on. */
  readonly photos?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Where what is wrong with a part goes. */
  readonly findings?: { readonly train: Findings; readonly val: Findings };
}

/** Counted up when the drawing changes, so that a cached set of an older version is not taken for the new one. */
const VERSION = 1;
const STAMP = 'text.json';

/** Open synthetic text; it is drawn on first use and appears by one rename, so that a killed run leaves no half of it.
 *  Throws E_SYNTHETIC_ROOT if `root` holds something else, E_PHOTOS. */
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
  const name = `text-${Object.values(wanted).join('-')}`;
  const dir = resolve(root ?? join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'tfjs-finetune', name));
  const stamp = JSON.stringify(wanted);
  if (!(await isThere(dir, stamp))) {
    await mkdir(dirname(dir), { recursive: true });
    const temporary = `${dir}.${randomBytes(6).toString('hex')}.tmp`;
    try {
      for (const part of ['train', 'val'] as const) {
        const count = part === 'train' ? train : val;
        await generateText({ root: temporary, part, seed, side, photos: files }, count, { signal });
      }
      await writeFile(join(temporary, STAMP), stamp);
      await rename(temporary, dir).catch(async (error: unknown) => {
        if (!(await isThere(dir, stamp))) throw error; // else another process was first, with the same images
      });
    } finally {
      await rm(temporary, { recursive: true, force: true });
    }
  }
  return { train: await openPart(dir, 'train', findings?.train), val: await openPart(dir, 'val', findings?.val) };
}

async function isThere(dir: string, stamp: string): Promise<boolean> {
  const names = await listFolder(dir);
  if (names.size === 0) return false;
  const found = names.has(STAMP) ? await readFile(join(dir, STAMP), 'utf8') : undefined;
  if (found === stamp) return true;
  throw new FinetuneError({
    code: 'E_SYNTHETIC_ROOT',
    message: found
      ? `holds another set of text: ${found}, wanted ${stamp}`
      : 'is not empty and holds no synthetic text',
    where: { file: dir },
    fix: 'name another data.root, or remove that folder',
  });
}

async function openPart(
  dir: string,
  part: 'train' | 'val',
  findings = createFindings(),
): Promise<Dataset<TextAnnotation>> {
  const { images } = JSON.parse(await readFile(join(dir, `words_${part}.json`), 'utf8')) as {
    images: TextImageRecord[];
  };
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
