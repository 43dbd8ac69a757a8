import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { didYouMean } from '../didYouMean.js';
import { FinetuneError, type Problem } from '../errors.js';

/** The weight URI of a model that a person names: a run directory means its best weights, a file is a checkpoint, and
 *  what has a scheme is a URI already. Throws E_MODEL_PATH with what is missing. */
export async function locateModel(path: string): Promise<string> {
  if (/^[a-z][a-z+]+:/i.test(path)) return path; // two letters: C:\ is a path
  const entry = await stat(path).catch(() => undefined);
  if (entry?.isFile()) return `file:${path}`;
  if (!entry?.isDirectory()) throw refusal(path, await missing(path));
  const checkpoints = await readdir(join(path, 'checkpoints')).catch(() => undefined);
  if (checkpoints?.includes('best.safetensors')) return `run:${path}`;
  throw refusal(path, checkpoints ? unfinished(path, checkpoints) : NO_RUN);
}

type Reason = Pick<Problem, 'message' | 'fix'>;

const refusal = (file: string, reason: Reason): FinetuneError =>
  new FinetuneError({ code: 'E_MODEL_PATH', where: { file }, ...reason });

const NO_RUN: Reason = {
  message: 'this folder is no run: it has no checkpoints/',
  fix: 'name the directory that a run printed in its last line, or a checkpoint in it',
};

function unfinished(path: string, checkpoints: readonly string[]): Reason {
  const message = 'the run has no best weights yet: it was stopped before its first epoch was scored';
  const again = 'continue it with --resume';
  if (!checkpoints.includes('last.safetensors')) return { message, fix: again };
  return { message, fix: `${again}, or name ${join(path, 'checkpoints', 'last.safetensors')}` };
}

async function missing(path: string): Promise<Reason> {
  const hint = didYouMean(basename(path), await readdir(dirname(path)).catch(() => []), 3);
  return { message: 'there is no such run or file', fix: hint ?? 'name a run directory, or a .safetensors file' };
}
