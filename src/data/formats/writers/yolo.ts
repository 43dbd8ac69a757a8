import { stringify } from 'yaml';
import {
  countObjects,
  isMarked,
  occurring,
  tidy,
  UNMARKED,
  type WrittenImage,
  type WrittenObject,
  type Writer,
} from './writer.js';

/** YOLO as Ultralytics has it: images/<part>/, labels/<part>/ and data.yaml. */
export const writeYolo: Writer = (set) => {
  const files = new Map<string, string>();
  const numberOf = new Map(set.categories.map(({ name }, number) => [name, number]));
  for (const image of set.images) {
    const lines = image.objects
      .filter((object) => !isMarked(object))
      .map((object) => `${numberOf.get(object.category)!} ${boxOf(object, image).join(' ')}\n`);
    files.set(`labels/${image.part}/${image.stem}.txt`, lines.join(''));
  }
  const parts = Object.fromEntries(set.parts.map((part) => [part, `images/${part}`]));
  files.set(
    'data.yaml',
    stringify({
      ...parts,
      nc: set.categories.length,
      names: Object.fromEntries(set.categories.map(({ name }, number) => [number, name])),
    }),
  );
  return {
    files,
    imagePath: ({ part, name }) => `images/${part}/${name}`,
    losses: occurring({
      [UNMARKED]: countObjects(set, isMarked),
      'box clipped to its image': countObjects(set, (object, image) => !isMarked(object) && isBeyond(object, image)),
      'outline and transcription of a word, written as its box': countObjects(set, ({ word }) => word !== undefined),
    }),
  };
};

/** Pixels by which rounding may let a box reach beyond its image. */
const ROUNDING = 1e-6;

const isBeyond = ({ bbox: [x, y, w, h] }: WrittenObject, { width, height }: WrittenImage): boolean =>
  Math.min(x, y) < -ROUNDING || x + w > width + ROUNDING || y + h > height + ROUNDING;

/** Centre, width and height as shares of the image. */
function boxOf({ bbox: [x, y, w, h] }: WrittenObject, { width, height }: WrittenImage): number[] {
  const [x1, y1] = [Math.max(x, 0), Math.max(y, 0)];
  const [x2, y2] = [Math.min(x + w, width), Math.min(y + h, height)];
  return [(x1 + x2) / 2 / width, (y1 + y2) / 2 / height, (x2 - x1) / width, (y2 - y1) / height].map(tidy);
}
