/** Folders of drawn characters, one a class, cut out of synthetic text: a classification set of any size for the sweeps of docs/finetuning.md.
 *
 *      node test/bench/characters.mjs OUT COUNT [--photos PHOTOS]
 *
 *  COUNT images of 64 × 64 pixels in OUT/train, with 880 of other texts in OUT/val; every class has as many as the others. `npm run build` first. */
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import sharp from 'sharp';
import { openDrawnText } from '../../dist/data/formats/text/drawnText.js';

const { values, positionals } = parseArgs({ allowPositionals: true, options: { photos: { type: 'string' } } });
const [out, count] = positionals;
const SIDE = 64;
/** Drawn images: the rarest of the letters comes once in three. */
const IMAGES = { train: Math.ceil(0.15 * Number(count)), val: 200 };
/** Without j, q, x and z, which are too rare. */
const CLASSES = [...'abcdefghiklmnoprstuvwy'];
const wanted = { train: Math.floor(Number(count) / CLASSES.length), val: 40 };

const root = join(await mkdtemp(join(tmpdir(), 'characters-')), 'text');
try {
  await openDrawnText({ root, seed: 7, side: 768, photos: values.photos, ...IMAGES });
  for (const part of ['train', 'val']) {
    const left = new Map(CLASSES.map((letter) => [letter, wanted[part]]));
    for (const letter of CLASSES) await mkdir(join(out, part, letter), { recursive: true });
    const { images } = JSON.parse(await readFile(join(root, `words_${part}.json`), 'utf8'));
    for (const { file, width, height, words } of images) {
      const picture = sharp(join(root, 'images', part, file));
      for (const { text, characters } of words) {
        for (const [i, letter] of [...text].filter((character) => character !== ' ').entries()) {
          const rest = left.get(letter);
          const box = characters[i] && squareAround(characters[i], width, height);
          if (!rest || !box) continue;
          left.set(letter, rest - 1);
          await picture.clone().extract(box).resize(SIDE, SIDE).jpeg({ quality: 92 }).toFile(join(out, part, letter, `${rest}.jpg`)); // prettier-ignore
        }
      }
    }
    const short = [...left].filter(([, rest]) => rest > 0).map(([letter, rest]) => `${letter} ${rest}`);
    if (short.length > 0) console.log(`${part}: fewer than wanted: ${short.join(', ')}`);
  }
} finally {
  await rm(join(root, '..'), { recursive: true, force: true });
}

/** A square around the quad [x1, y1, …], a fifth larger, or nothing where it does not lie within the image or is small. */
function squareAround(quad, width, height) {
  const xs = quad.filter((_, i) => i % 2 === 0);
  const ys = quad.filter((_, i) => i % 2 === 1);
  const side = Math.round(1.2 * Math.max(Math.max(...xs) - Math.min(...xs), Math.max(...ys) - Math.min(...ys)));
  const left = Math.round((Math.max(...xs) + Math.min(...xs) - side) / 2);
  const top = Math.round((Math.max(...ys) + Math.min(...ys) - side) / 2);
  const inside = left >= 0 && top >= 0 && left + side <= width && top + side <= height;
  return inside && side >= 12 ? { left, top, width: side, height: side } : undefined;
}
