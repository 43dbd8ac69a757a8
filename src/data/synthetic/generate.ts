import { join } from 'node:path';
import pLimit from 'p-limit';
import sharp from 'sharp';
import { makeFolder, writeNew } from '../../files/folders.js';
import { randomStream } from '../../random.js';
import type { CocoGroundTruth } from '../sample.js';
import { objectNames } from './objects.js';
import { drawScene } from './scene.js';

/** Draw one part of the synthetic set into `root`: images/{part}/*.jpg and annotations/instances_{part}.json. Image i
 *  depends on the seed, the part and i alone, so a longer part begins with the images of a shorter one. */
export async function generatePart(
  root: string,
  part: string,
  count: number,
  seed: number,
  signal?: AbortSignal,
): Promise<void> {
  await makeFolder(join(root, 'images', part));
  await makeFolder(join(root, 'annotations'));
  const images: CocoGroundTruth['images'][number][] = [];
  const annotations: CocoGroundTruth['annotations'][number][] = [];
  const limit = pLimit(4); // libuv has four threads; more images would only wait, with their SVG in memory
  const draw = async (index: number): Promise<void> => {
    signal?.throwIfAborted();
    const { width, height, svg, objects, blur, quality } = drawScene(randomStream(seed, `synthetic/${part}/${index}`));
    const file_name = `${String(index).padStart(6, '0')}.jpg`;
    images[index] = { id: index + 1, file_name, width, height };
    objects.forEach(({ category, box: [x1, y1, x2, y2] }) => {
      const bbox = [x1, y1, hundredths(x2 - x1), hundredths(y2 - y1)] as const;
      annotations.push({
        id: 0, // numbered below, since images finish in any order
        image_id: index + 1,
        category_id: objectNames.indexOf(category) + 1,
        bbox,
        area: hundredths(bbox[2] * bbox[3]),
        iscrowd: 0,
      });
    });
    const picture = sharp(Buffer.from(svg)).flatten();
    if (blur > 0) picture.blur(blur);
    await writeNew(join(root, 'images', part, file_name), await picture.jpeg({ quality }).toBuffer());
  };
  await Promise.all(Array.from({ length: count }, (_, index) => limit(draw, index)));

  const truth: CocoGroundTruth = {
    images,
    categories: objectNames.map((name, index) => ({ id: index + 1, name })),
    annotations: annotations
      .sort((a, b) => Number(a.image_id) - Number(b.image_id))
      .map((row, index) => ({ ...row, id: index + 1 })),
  };
  await writeNew(join(root, 'annotations', `instances_${part}.json`), JSON.stringify(truth));
}

const hundredths = (value: number): number => Math.round(value * 100) / 100;
