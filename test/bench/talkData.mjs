/** A classification set of 64 × 64 pixels that a backbone can be pre-trained on in minutes: docs/talk.md.
 *
 *      node test/bench/talkData.mjs OUT [--hymenoptera DIR] [--photos PHOTOS]
 *
 *  OUT/{train,val}/CLASS/*.jpg: 22 classes of drawn characters (characters.mjs), the 6 classes of drawn objects of `format: synthetic`, cut out of scenes of
 *  another seed than the detection set has, and, where the folder is given, photos of ants and bees. `npm run build` first. */
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import sharp from 'sharp';
import { generatePart } from '../../dist/data/synthetic/generate.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { photos: { type: 'string' }, hymenoptera: { type: 'string' } },
});
const [out] = positionals;
const SIDE = 64;
const CHARACTERS = 22 * 140;
const SEED = 11;
/** Scenes to draw, and crops to take of each class. */
const PARTS = { train: { scenes: 1000, each: 350 }, val: { scenes: 150, each: 40 } };

const photos = values.photos ? ['--photos', values.photos] : [];
execFileSync(process.execPath, [join(import.meta.dirname, 'characters.mjs'), out, String(CHARACTERS), ...photos]);

const scenes = await mkdtemp(join(tmpdir(), 'scenes-'));
try {
  for (const [part, { scenes: count, each }] of Object.entries(PARTS)) {
    await generatePart(scenes, part, count, SEED);
    const { images, annotations, categories } = JSON.parse(
      await readFile(join(scenes, 'annotations', `instances_${part}.json`), 'utf8'),
    );
    for (const { id, name } of categories) {
      await mkdir(join(out, part, name), { recursive: true });
      const boxes = annotations.filter(
        ({ category_id, bbox }) => category_id === id && Math.min(bbox[2], bbox[3]) >= 24,
      );
      for (const [i, { image_id, bbox }] of boxes.slice(0, each).entries()) {
        const { file_name, width, height } = images[image_id - 1];
        await sharp(join(scenes, 'images', part, file_name))
          .extract(around(bbox, width, height))
          .resize(SIDE, SIDE, { fit: 'fill' })
          .jpeg({ quality: 92 })
          .toFile(join(out, part, name, `${i}.jpg`));
      }
    }
  }
} finally {
  await rm(scenes, { recursive: true, force: true });
}

if (values.hymenoptera) {
  for (const part of ['train', 'val'])
    for (const name of ['ants', 'bees']) {
      await mkdir(join(out, part, name), { recursive: true });
      const files = (await readdir(join(values.hymenoptera, part, name)))
        .filter((file) => /\.jpe?g$/.test(file))
        .sort();
      for (const [i, file] of files.entries())
        await sharp(join(values.hymenoptera, part, name, file))
          .resize(SIDE, SIDE, { fit: 'cover' })
          .jpeg({ quality: 92 })
          .toFile(join(out, part, name, `${i}.jpg`));
    }
}

/** The box and a tenth of its longer side around it, as a square where the image has room. */
function around([x, y, w, h], width, height) {
  const side = Math.round(1.2 * Math.max(w, h));
  const left = Math.max(0, Math.round(x + w / 2 - side / 2));
  const top = Math.max(0, Math.round(y + h / 2 - side / 2));
  return { left, top, width: Math.min(side, width - left), height: Math.min(side, height - top) };
}
