import { join, resolve } from 'node:path';
import { listPhotos } from '../data/synthetic/text/photos.js';
import { generateText } from '../data/synthetic/text/generateText.js';
import { writeAtomically } from '../files/writeAtomically.js';
import { textPreview } from '../report/textPreview.js';
import { watched } from './watched.js';

export interface SynthCommand {
  readonly out: string;
  readonly images: number;
  readonly side: number;
  readonly seed: number;
  /** Folder of images to write on. */
  readonly photos: string | undefined;
  readonly json: boolean;
}

/** `finetune synth`: draws images with text, their annotations, and a page that shows them. The page's file is the
 *  last line on stdout. */
export async function synth({ out, images, side, seed, photos, json }: SynthCommand): Promise<void> {
  const root = resolve(out);
  const start = performance.now();
  const part = { root, part: 'train', seed, side, photos: photos === undefined ? [] : await listPhotos(photos) };
  const records = await watched(({ signal, onProgress }) =>
    generateText(part, images, { signal, onImage: (done, total) => onProgress({ phase: 'data', done, total }) }),
  );
  const page = join(root, 'preview.html');
  await writeAtomically(
    page,
    textPreview(records.map((record) => ({ ...record, file: `images/train/${record.file}` }))),
  );
  const seconds = (performance.now() - start) / 1000;
  const words = records.reduce((sum, record) => sum + record.words.length, 0);
  console.error(`${images} images with ${words} words, ${(images / seconds).toFixed(1)} a second`);
  if (json) console.log(JSON.stringify({ images, words, seconds }));
  console.log(page);
}
