import { join } from 'node:path';
import sharp from 'sharp';
import { FinetuneError } from '../../../errors.js';
import { makeFolder, writeNew } from '../../../files/folders.js';
import { randomStream, type RandomStream } from '../../../random.js';
import type { Canvas } from './canvas.js';
import { loadFaces } from './fonts.js';
import type { SceneWord } from './paintBlock.js';
import { drawTextScene } from './textScene.js';

/** One part of a set of drawn text images. */
export interface TextPart {
  /** Folder of the set. */
  readonly root: string;
  readonly part: string;
  readonly seed: number;
  /** Side of the square images, pixels. */
  readonly side: number;
  /** Image files that serve as backgrounds of four images in five; without them all backgrounds are drawn. They must
   *  not contain text. */
  readonly photos: readonly string[];
}

/** A drawn image as the annotation file lists it. Coordinates are hundredths of a pixel. */
export interface TextImageRecord {
  readonly file: string;
  readonly width: number;
  readonly height: number;
  readonly words: readonly SceneWord[];
}

const PHOTO_SHARE = 0.8;

/** Draw image `index` of a part and write it as JPEG. It depends only on the seed, the part, the index and the photos,
 *  so it is the same in any thread and order. Throws E_PHOTOS with the photo that cannot be read. */
export async function drawTextImage(
  { root, part, seed, side, photos }: TextPart,
  index: number,
): Promise<TextImageRecord> {
  const random = randomStream(seed, `text/${part}/${index}`);
  const photo = photos.length > 0 && random.chance(PHOTO_SHARE) ? await readPhoto(random, photos, side) : undefined;
  const { canvas, words } = drawTextScene(random, await loadFaces(), { width: side, height: side, photo });
  const file = `${String(index).padStart(6, '0')}.jpg`;
  const { data, width, height } = canvas;
  const picture = sharp(data, { raw: { width, height, channels: 3 } });
  if (random.chance(0.3)) picture.blur(random.uniform(0.4, 1.4));
  const folder = join(root, 'images', part);
  await makeFolder(folder);
  await writeNew(join(folder, file), await picture.jpeg({ quality: random.integer(45, 96) }).toBuffer());
  return { file, width, height, words: words.map(rounded) };
}

async function readPhoto(random: RandomStream, photos: readonly string[], side: number): Promise<Canvas> {
  const file = photos[random.integer(0, photos.length)]!;
  try {
    return await cutSquare(random, file, side);
  } catch (cause) {
    const message = `the photo cannot be read: ${(cause as Error).message.trim().split('\n')[0]}`;
    const fix = 'remove it from the folder of photos';
    throw new FinetuneError({ code: 'E_PHOTOS', message, where: { file }, fix }, { cause });
  }
}

/** Reads a random square part of a photo, enlarged at most twofold. */
async function cutSquare(random: RandomStream, file: string, side: number): Promise<Canvas> {
  const source = sharp(file, { failOn: 'none' }).rotate();
  const { autoOrient } = await source.metadata();
  const short = Math.min(autoOrient.width, autoOrient.height);
  const crop = Math.round(Math.min(short, Math.max(short * random.uniform(0.5, 1), side / 2)));
  const left = random.integer(0, autoOrient.width - crop + 1);
  const top = random.integer(0, autoOrient.height - crop + 1);
  const pixels = await source
    .extract({ left, top, width: crop, height: crop })
    .resize(side, side, { kernel: 'linear' })
    .flop(random.chance(0.5))
    .removeAlpha()
    .toColourspace('srgb')
    .raw()
    .toBuffer();
  return {
    data: new Uint8ClampedArray(pixels.buffer, pixels.byteOffset, pixels.byteLength),
    width: side,
    height: side,
  };
}

const hundredths = (value: number): number => Math.round(value * 100) / 100;

const rounded = ({ text, outline, characters }: SceneWord): SceneWord => ({
  text,
  outline: outline.map(hundredths),
  characters: characters.map((quad) => quad.map(hundredths)),
});
