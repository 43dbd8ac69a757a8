import { join } from 'node:path';
import { FinetuneError } from '../errors.js';
import { readBundle } from '../modelFolder/bundleFile.js';
import { unpackBundle } from '../modelFolder/unpackBundle.js';
import type { ProgressEvent } from '../progress.js';
import { loadRecipe } from '../recipe/load.js';
import { evaluateRecipe } from '../run/evaluateRecipe.js';
import { defaultCacheDir } from '../weights/sources/cache.js';

export interface VerifyOptions {
  /** Settings of the recipe, as where the data is on this machine: `data.root=…`. */
  readonly set?: readonly string[] | undefined;
  /** Whether only the hashes are checked. */
  readonly hashesOnly?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((event: ProgressEvent) => void) | undefined;
}

export interface Verified {
  readonly sha256: string;
  /** Number of files whose hashes were checked. */
  readonly files: number;
  /** The score of the run and the one of now; null if it was not measured, for the reason in `why`. */
  readonly score: { readonly name: string; readonly bundle: number; readonly now: number } | null;
  readonly why: string | null;
  /** Whether everything that was checked is as it should be. */
  readonly isRight: boolean;
}

/** Difference of a score that other engines and processors may cause. */
const TOLERANCE = 0.002;
/** The number of a metric that stands for it. */
const NAMES = ['AP', 'mAP', 'hmean', 'top1'] as const;

/** Checks every hash of a bundle, and scores it again where the data of its recipe is at hand.
 *  Throws E_BUNDLE_DAMAGED, and the signal's reason. */
export async function verifyBundle(file: string, options: VerifyOptions = {}): Promise<Verified> {
  const { set = [], hashesOnly = false, signal, onProgress } = options;
  const { sha256, files, manifest } = await readBundle(file);
  const hashes = { sha256, files: files.size };
  const notScored = (why: string): Verified => ({ ...hashes, score: null, why, isRight: true });
  if (hashesOnly) return notScored('only the hashes were asked for');
  const metric = manifest['metric'] as Readonly<Record<string, unknown>> | null;
  const name = NAMES.find((one) => typeof metric?.[one] === 'number');
  if (name === undefined || manifest['part'] === null) return notScored('the bundle has no score');
  try {
    const folder = await unpackBundle(file, defaultCacheDir());
    const recipe = await loadRecipe(join(folder, 'recipe.yaml'), { set });
    const weights = `file:${join(folder, 'checkpoints', 'best.safetensors')}`;
    const { metric: now } = await evaluateRecipe(recipe, { weights, signal, onProgress });
    const score = { name, bundle: metric![name] as number, now: (now as unknown as Record<string, number>)[name]! };
    return { ...hashes, score, why: null, isRight: Math.abs(score.now - score.bundle) <= TOLERANCE };
  } catch (error) {
    signal?.throwIfAborted();
    if (!(error instanceof FinetuneError)) throw error;
    return notScored(
      `the data of its recipe is not at hand (${error.problems[0]!.message}): say where with --set data.root=DIR`,
    );
  }
}
