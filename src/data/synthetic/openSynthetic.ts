import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { FinetuneError } from '../../errors.js';
import { openCoco } from '../formats/coco.js';
import { listFolder } from '../image/imageFiles.js';
import { generatePart } from './generate.js';

export interface SyntheticOptions {
  /** Folder of the set; without it one in the user's cache, named by version, seed and counts. */
  readonly root?: string;
  readonly seed: number;
  /** How many images to draw for training, and how many for validation. */
  readonly train: number;
  readonly val: number;
  readonly categories?: readonly string[];
  readonly signal?: AbortSignal;
}

/** Counted up when the drawing changes, so that a cached set of an older version is not taken for the new one. */
const VERSION = 1;
const STAMP = 'synthetic.json';

/** Open the embedded data set: six classes of drawn things (fish, house, star, mug, tree, car) on varied backdrops. It is
 *  drawn on first use, from the seed alone, in COCO's layout, and appears by one rename: a killed run leaves no half of it.
 *  A box holds what is inside the image of an object as if no other
 *  hid it; no object is hidden by more than 60 %.
 *  Throws E_SYNTHETIC_ROOT if `root` holds something else. */
export async function openSynthetic({ categories, ...options }: SyntheticOptions) {
  const parts = await syntheticParts(options);
  const chosen = categories ? { categories } : {};
  return { train: await openCoco({ ...parts.train, ...chosen }), val: await openCoco({ ...parts.val, ...chosen }) };
}

/** Where the parts are, drawn if they are not there yet. Throws E_SYNTHETIC_ROOT. */
export async function syntheticParts({ root, seed, train, val, signal }: Omit<SyntheticOptions, 'categories'>) {
  const dir = resolve(root ?? join(cacheDir(), `synthetic-${VERSION}-${seed}-${train}-${val}`));
  const stamp = JSON.stringify({ version: VERSION, seed, train, val });
  if (!(await isThere(dir, stamp))) await generate(dir, stamp, { seed, train, val }, signal);
  const part = (name: 'train' | 'val') => ({
    annotations: join(dir, 'annotations', `instances_${name}.json`),
    images: join(dir, 'images', name),
    name: `synthetic ${name}`,
  });
  return { train: part('train'), val: part('val') };
}

async function isThere(dir: string, stamp: string): Promise<boolean> {
  const names = await listFolder(dir);
  if (names.size === 0) return false;
  const found = names.has(STAMP) ? await readFile(join(dir, STAMP), 'utf8') : undefined;
  if (found === stamp) return true;
  throw new FinetuneError({
    code: 'E_SYNTHETIC_ROOT',
    message: found
      ? `holds another synthetic set: ${found}, wanted ${stamp}`
      : 'is not empty and holds no synthetic set',
    where: { file: dir },
    fix: 'name another data.root, or remove that folder',
  });
}

async function generate(
  dir: string,
  stamp: string,
  counts: { seed: number; train: number; val: number },
  signal?: AbortSignal,
) {
  await mkdir(dirname(dir), { recursive: true });
  const temporary = `${dir}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    for (const part of ['train', 'val'] as const)
      await generatePart(temporary, part, counts[part], counts.seed, signal);
    await writeFile(join(temporary, STAMP), stamp);
    await rename(temporary, dir).catch(async (error: unknown) => {
      if (!(await isThere(dir, stamp))) throw error; // else another process was first, with the same images
    });
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

/** The package's cache, as weights/cache.ts has it. */
const cacheDir = (): string => join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'tfjs-finetune');
