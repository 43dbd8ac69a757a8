import { join } from 'node:path';
import { FinetuneError } from '../errors.js';
import { openCoco } from './coco.js';
import type { DropPolicies } from './rawDataset.js';
import type { Dataset } from './sample.js';
import { openSynthetic } from './synthetic/openSynthetic.js';
import { openVocSplits } from './voc.js';

interface Common extends DropPolicies {
  /** Names to learn, in the order of the model's classes. */
  readonly categories?: readonly string[] | undefined;
}

export interface SyntheticData extends Common {
  readonly format: 'synthetic';
  readonly root?: string | undefined;
  readonly seed: number;
  readonly train: { readonly images: number };
  readonly val: { readonly images: number };
}

/** Paths of a part are relative to `root`. */
export interface CocoData extends Common {
  readonly format: 'coco';
  readonly root: string;
  readonly train: { readonly annotations: string; readonly images: string };
  readonly val: { readonly annotations: string; readonly images: string };
  readonly test?: { readonly annotations: string; readonly images: string } | undefined;
}

/** A part is the name of a list in ImageSets/Main. */
export interface VocData extends Common {
  readonly format: 'voc';
  readonly root: string;
  readonly train: string;
  readonly val: string;
  readonly test?: string | undefined;
}

export type DataOptions = SyntheticData | CocoData | VocData;

/** Open the parts to train, to validate and, where there is one, to test on, with the same categories in the same order. Reads annotations, no pixels.
 *  Throws what openSynthetic, openCoco and openVoc throw, and E_DATA_EMPTY if a part has no image. */
export async function openDatasets(data: DataOptions, { signal }: { readonly signal?: AbortSignal | undefined } = {}) {
  const parts = await open(data, signal);
  for (const { name, annotations } of [parts.train, parts.val, ...(parts.test ? [parts.test] : [])])
    if (annotations.length === 0) throw new FinetuneError({ code: 'E_DATA_EMPTY', message: `${name} has no images` });
  return { ...parts, categories: parts.train.categories };
}

async function open(
  data: DataOptions,
  signal?: AbortSignal,
): Promise<{ train: Dataset; val: Dataset; test?: Dataset }> {
  const categories = data.categories ? { categories: data.categories } : {};
  const policies: DropPolicies = {
    ...(data.invalidBoxes ? { invalidBoxes: data.invalidBoxes } : {}),
    ...(data.brokenImages ? { brokenImages: data.brokenImages } : {}),
  };
  switch (data.format) {
    case 'synthetic':
      return openSynthetic({
        seed: data.seed,
        train: data.train.images,
        val: data.val.images,
        ...(data.root ? { root: data.root } : {}),
        ...categories,
        ...(signal ? { signal } : {}),
      });
    case 'voc':
      return openVocSplits(data.root, data, { ...policies, ...categories });
    case 'coco': {
      const part = (name: string, place: CocoData['train'], wanted: { readonly categories?: readonly string[] }) =>
        openCoco({
          annotations: join(data.root, place.annotations),
          images: join(data.root, place.images),
          name,
          ...policies,
          ...wanted,
        });
      const train = await part('train', data.train, categories);
      // The other files may number their categories in another way; the names are what all must have.
      const same = { categories: train.categories.map(({ name }) => name) };
      const val = await part('val', data.val, same);
      return { train, val, ...(data.test && { test: await part('test', data.test, same) }) };
    }
  }
}
