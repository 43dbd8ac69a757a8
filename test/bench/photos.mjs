/** Folders of photographed things, one a class, cut out of the real data sets: a classification set of a thousand photos for the sweeps of
 *  docs/finetuning.md.
 *
 *      node test/bench/photos.mjs OUT DATA
 *
 *  DATA holds coco_subset, raccoon_voc and hymenoptera. Ants and bees as they are; every raccoon and COCO object at least 24 pixels wide and high, in a
 *  square of its surroundings, of classes with 10 or more. OUT/train has a thousand images, OUT/val others; all cuts of one photo are in one part. */
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import sharp from 'sharp';

const [out, data] = process.argv.slice(2);
const SIDE = 160;
const [LEAST, SMALLEST, TRAIN] = [10, 24, 1000];

const cuts = [...(await insects()), ...(await raccoons()), ...(await cocoObjects())];
const counts = new Map();
for (const { name } of cuts) counts.set(name, (counts.get(name) ?? 0) + 1);
const hash = ({ file }) => createHash('sha256').update(basename(file)).digest('hex');
const kept = cuts.filter(({ name }) => counts.get(name) >= LEAST).sort((a, b) => (hash(a) < hash(b) ? -1 : 1));
const border = kept.findIndex((cut, i) => i >= TRAIN && cut.file !== kept[i - 1].file);
for (const [i, { name, file, box }] of kept.entries()) {
  const folder = join(out, i < border ? 'train' : 'val', name.replaceAll(' ', '-'));
  await mkdir(folder, { recursive: true });
  const picture = sharp(file).rotate();
  const { width, height } = await picture.metadata();
  await picture
    .extract(squareAround(box ?? [0, 0, width, height], width, height))
    .resize(SIDE, SIDE)
    .jpeg({ quality: 92 })
    .toFile(join(folder, `${i}.jpg`));
}
console.log(
  `${border} to train on, ${kept.length - border} to score on, ${new Set(kept.map(({ name }) => name)).size} classes`,
);

async function insects() {
  const found = [];
  for (const part of ['train', 'val'])
    for (const name of ['ants', 'bees'])
      for (const file of await readdir(join(data, 'hymenoptera', part, name)))
        if (/\.jpe?g$/.test(file)) found.push({ name, file: join(data, 'hymenoptera', part, name, file) });
  return found;
}

async function raccoons() {
  const root = join(data, 'raccoon_voc');
  const found = [];
  for (const file of await readdir(join(root, 'Annotations'))) {
    const text = await readFile(join(root, 'Annotations', file), 'utf8');
    const [, image] = /<filename>(.+?)<\/filename>/.exec(text);
    for (const [, ...corners] of text.matchAll(/<xmin>(\d+)[^]*?<ymin>(\d+)[^]*?<xmax>(\d+)[^]*?<ymax>(\d+)/g)) {
      const [left, top, right, bottom] = corners.map(Number);
      const box = [left - 1, top - 1, right - left + 1, bottom - top + 1];
      if (isLarge(box)) found.push({ name: 'raccoon', file: join(root, 'JPEGImages', image), box });
    }
  }
  return found;
}

async function cocoObjects() {
  const root = join(data, 'coco_subset');
  const found = [];
  for (const part of ['train2017', 'val2017']) {
    const { images, categories, annotations } = JSON.parse(await readFile(join(root, `annotations/instances_${part}.json`), 'utf8')); // prettier-ignore
    const files = new Map(images.map(({ id, file_name }) => [id, join(root, 'images', part, file_name)]));
    const names = new Map(categories.map(({ id, name }) => [id, name]));
    for (const { image_id, category_id, bbox, iscrowd } of annotations)
      if (!iscrowd && isLarge(bbox)) found.push({ name: names.get(category_id), file: files.get(image_id), box: bbox });
  }
  return found;
}

function isLarge([, , width, height]) {
  return Math.min(width, height) >= SMALLEST;
}

/** The square around a box [left, top, width, height], a fifth larger, moved into the image and no larger than it. */
function squareAround([left, top, width, height], columns, rows) {
  const side = Math.round(Math.min(1.2 * Math.max(width, height), columns, rows));
  const within = (start, length, limit) =>
    Math.round(Math.min(Math.max(0, start + length / 2 - side / 2), limit - side));
  return { left: within(left, width, columns), top: within(top, height, rows), width: side, height: side };
}
