import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { randomStream } from '../../src/random.js';

type Box = readonly [x: number, y: number, width: number, height: number];

export interface TinyCoco {
  readonly truth: { readonly images: object[]; readonly categories: object[]; readonly annotations: object[] };
  readonly results: { image_id: number; category_id: number; bbox: Box; score: number }[];
}

/** A made-up data set of 60 images, 640×480, with categories 3, 7 and 9, and results that find nine objects of ten. */
export function tinyCoco(seed = 1): TinyCoco {
  const random = randomStream(seed, 'tinyCoco');
  const images = Array.from({ length: 60 }, (_, i) => ({
    id: i + 1,
    width: 640,
    height: 480,
    file_name: `${i + 1}.jpg`,
  }));
  const categories = [3, 7, 9].map((id) => ({ id, name: `kind ${id}` }));
  const annotations: object[] = [];
  const results: TinyCoco['results'] = [];
  for (const { id: image_id } of images) {
    for (let n = random.integer(1, 5); n > 0; n--) {
      const category_id = [3, 7, 9][random.integer(0, 3)]!;
      const [width, height] = [random.integer(20, 300), random.integer(20, 200)];
      const bbox: Box = [random.integer(0, 640 - width), random.integer(0, 480 - height), width, height];
      annotations.push({ id: annotations.length + 1, image_id, category_id, bbox, area: width * height, iscrowd: 0 });
      const moved: Box = [bbox[0] + width * random.uniform(-0.05, 0.05), bbox[1], width, height];
      if (random.chance(0.9)) results.push({ image_id, category_id, bbox: moved, score: random.next() });
      if (random.chance(0.3)) results.push({ image_id, category_id, bbox: [1, 1, 30, 30], score: random.next() });
    }
  }
  return { truth: { images, categories, annotations }, results };
}

/** Write a value as JSON, a text as it is → the file. */
export function writeJson(dir: string, name: string, value: unknown): string {
  const file = join(dir, name);
  writeFileSync(file, typeof value === 'string' ? value : JSON.stringify(value));
  return file;
}
