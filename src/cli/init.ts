import { stat } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { FinetuneError } from '../errors.js';
import { writeAtomically } from '../files/writeAtomically.js';
import { initRecipe, type InitResult } from '../init/initRecipe.js';
import type { InitOptions } from '../init/options.js';
import { watched } from './watched.js';

export interface InitCommand extends Omit<InitOptions, 'file' | 'signal' | 'onProgress'> {
  readonly out?: string | undefined;
  readonly json?: boolean;
}

/** `finetune init <folder>`: writes a recipe for a folder of labelled images. What was found goes to stderr; the last
 *  line on stdout is the file. Throws E_INIT_EXISTS rather than overwrite a file. */
export async function init(folder: string, { out, json = false, ...options }: InitCommand): Promise<void> {
  const file = out ?? recipeFileFor(folder);
  if (await isThere(file)) throw exists(file);
  const result = await lookAt(folder, { ...options, file });
  await writeAtomically(file, result.text);
  if (json) console.log(JSON.stringify(findings(result)));
  console.log(file);
}

/** Looks at a folder, and says on stderr what was found and decided. */
export async function lookAt(folder: string, options: InitOptions): Promise<InitResult> {
  const result = await watched((hooks) => initRecipe(folder, { ...options, ...hooks }));
  for (const line of result.lines) console.error(line);
  return result;
}

/** The name of the recipe of a folder: that of the folder, in the current directory. */
export const recipeFileFor = (folder: string): string =>
  `${basename(resolve(folder)).replace(/[^\p{L}\p{N}._-]+/gu, '-') || 'recipe'}.yaml`;

/** Whether a path leads to a folder. */
export const isFolder = (path: string): Promise<boolean> =>
  stat(path).then(
    (entry) => entry.isDirectory(),
    () => false,
  );

const isThere = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

const exists = (file: string): FinetuneError =>
  new FinetuneError({
    code: 'E_INIT_EXISTS',
    message: `the recipe "${file}" exists, and is not overwritten`,
    where: { file },
    fix: `run it (finetune ${file}), or write another one with --out`,
  });

/** What was found, for programs. */
const findings = ({ recognised: { chosen, others }, facts, settings }: InitResult) => ({
  layout: chosen.format,
  kind: chosen.kind,
  certainty: chosen.certainty,
  why: chosen.why,
  others: others.map(({ format, kind, certainty, why }) => ({ layout: format, kind, certainty, why })),
  ...facts,
  settings,
});
