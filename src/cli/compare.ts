import { dirname } from 'node:path';
import { FinetuneError } from '../errors.js';
import { makeFolder } from '../files/folders.js';
import { writeAtomically } from '../files/writeAtomically.js';
import { comparisonPage } from '../trials/comparePictures.js';
import { compareRuns } from '../trials/compareRuns.js';
import { comparisonTable } from './sweep.js';
import { watched } from './watched.js';

export interface CompareCommand {
  readonly json?: boolean | undefined;
  /** File of the page with what two runs find. */
  readonly pictures?: string | undefined;
  /** Number of images on the page. */
  readonly images: number;
}

/** `finetune compare`: a table of finished runs; those that differ in the seed alone are one row. */
export async function compare(
  directories: readonly string[],
  { json = false, pictures, images }: CompareCommand,
): Promise<void> {
  const [one, other, ...rest] = directories;
  if (pictures !== undefined && (one === undefined || other === undefined || rest.length > 0)) {
    const message = `--pictures draws two runs; got ${directories.length}`;
    throw new FinetuneError({
      code: 'E_USAGE',
      message,
      fix: 'finetune compare runs/a runs/b --pictures differences.html',
    });
  }
  const comparison = await compareRuns(directories);
  console.log(json ? JSON.stringify(comparison) : comparisonTable(comparison));
  if (pictures === undefined) return;
  const markup = await watched((hooks) => comparisonPage([one!, other!], { images, hooks }));
  await makeFolder(dirname(pictures));
  await writeAtomically(pictures, markup);
  console.error(pictures);
}
