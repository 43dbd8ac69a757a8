import { join } from 'node:path';
import { boxFormat, type BoxData } from '../formats/boxFormat.js';
import { openCoco, readCoco } from '../formats/coco.js';
import type { Format } from '../formats/format.js';
import { drawOnce } from './drawOnce.js';
import { generatePart } from './generate.js';

export interface SyntheticData extends BoxData {
  readonly format: 'synthetic';
  readonly root?: string | undefined;
  readonly seed: number;
  readonly train: { readonly images: number };
  readonly val: { readonly images: number };
  readonly test?: undefined;
}

/** The embedded data set, drawn from a seed. */
export const synthetic: Format<SyntheticData> = {
  ...boxFormat<SyntheticData>({
    readPart: async ({ root, seed, train, val }, part, findings, policies, signal) => {
      const options = { seed, ...(root && { root }), ...(signal && { signal }) };
      const places = await syntheticParts({ ...options, train: train.images, val: val.images });
      return readCoco({ ...places[part === 'train' ? 'train' : 'val'], ...policies }, findings);
    },
  }),
  isDrawn: true,
};

export interface SyntheticOptions {
  /** Folder of the set. Default: a folder in the user's cache, named after version, seed and counts. */
  readonly root?: string;
  readonly seed: number;
  /** Numbers of images to draw for training and for validation. */
  readonly train: number;
  readonly val: number;
  readonly categories?: readonly string[];
  readonly signal?: AbortSignal;
}

/** Increased whenever the drawing changes, so that a cached set of an older version is not used. */
const VERSION = 1;

/** Open the embedded data set: six classes of drawn things (fish, house, star, mug, tree, car) on varied backdrops. It
 *  is drawn on first use, from the seed alone, in COCO's layout. A box encloses the part of an object that is inside
 *  the image, including what other objects hide; no object is hidden by more than 60 %. Throws E_SYNTHETIC_ROOT if
 *  `root` holds something else. */
export async function openSynthetic({ categories, ...options }: SyntheticOptions) {
  const parts = await syntheticParts(options);
  const chosen = categories ? { categories } : {};
  return { train: await openCoco({ ...parts.train, ...chosen }), val: await openCoco({ ...parts.val, ...chosen }) };
}

/** Where the parts are; they are drawn if they are not there yet. */
async function syntheticParts({ root, seed, train, val, signal }: Omit<SyntheticOptions, 'categories'>) {
  const counts = { train, val };
  const set = {
    root,
    name: `synthetic-${VERSION}-${seed}-${train}-${val}`,
    stamp: JSON.stringify({ version: VERSION, seed, ...counts }),
    stampFile: 'synthetic.json',
    noun: 'synthetic set',
  };
  const dir = await drawOnce(set, async (folder) => {
    for (const part of ['train', 'val'] as const) await generatePart(folder, part, counts[part], seed, signal);
  });
  const part = (name: 'train' | 'val') => ({
    annotations: join(dir, 'annotations', `instances_${name}.json`),
    images: join(dir, 'images', name),
    name: `synthetic ${name}`,
  });
  return { train: part('train'), val: part('val') };
}
