import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { didYouMean } from '../didYouMean.js';
import { FinetuneError, type Problem } from '../errors.js';
import { looksLikeBundle } from '../modelFolder/bundleFile.js';
import { looksLikeModelFolder } from '../modelFolder/readModelFolder.js';
import { unpackBundle } from '../modelFolder/unpackBundle.js';
import { defaultCacheDir } from '../weights/sources/cache.js';

/** Where a model is: weights that describe themselves, or a folder that `finetune export` wrote. */
export type Located = { readonly uri: string } | { readonly folder: string };

/** The model that a person names: a run directory or a bundle of one means its best weights, another file is a
 *  checkpoint, and what has a scheme is a weight URI already. Throws E_BUNDLE_DAMAGED, E_MODEL_PATH with what is missing. */
export async function locateModel(path: string): Promise<Located> {
  if (/^[a-z][a-z+]+:/i.test(path)) return { uri: path }; // two letters: C:\ is a path
  const entry = await stat(path).catch(() => undefined);
  if (entry?.isFile())
    return {
      uri: (await looksLikeBundle(path)) ? `run:${await unpackBundle(path, defaultCacheDir())}` : `file:${path}`,
    };
  if (!entry?.isDirectory()) throw refusal(path, await missing(path));
  if (looksLikeModelFolder(await readdir(path).catch(() => []))) return { folder: path };
  const checkpoints = await readdir(join(path, 'checkpoints')).catch(() => undefined);
  if (checkpoints?.includes('best.safetensors')) return { uri: `run:${path}` };
  throw refusal(path, checkpoints ? unfinished(path, checkpoints) : NO_RUN);
}

type Reason = Pick<Problem, 'message' | 'fix'>;

const refusal = (file: string, reason: Reason): FinetuneError =>
  new FinetuneError({ code: 'E_MODEL_PATH', where: { file }, ...reason });

const NO_RUN: Reason = {
  message: 'this folder is neither a run nor an exported model: it has no checkpoints/ and no model-card.json',
  fix: 'name the directory that a run printed in its last line, a checkpoint in it, or the folder that finetune export wrote',
};

function unfinished(path: string, checkpoints: readonly string[]): Reason {
  const message = 'the run has no best weights yet: it was stopped before its first epoch was scored';
  const again = 'continue it with --resume';
  if (!checkpoints.includes('last.safetensors')) return { message, fix: again };
  return { message, fix: `${again}, or name ${join(path, 'checkpoints', 'last.safetensors')}` };
}

async function missing(path: string): Promise<Reason> {
  const hint = didYouMean(basename(path), await readdir(dirname(path)).catch(() => []), 3);
  return {
    message: 'there is no such run or file',
    fix: hint ?? 'name a run directory, a model folder, a bundle, or a .safetensors file',
  };
}
