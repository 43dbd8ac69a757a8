import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { FinetuneError } from '../errors.js';
import { describeDifference, LENGTH, recipeDifferences } from '../recipe/differences.js';
import { loadRecipe } from '../recipe/load.js';
import type { Recipe } from '../recipe/schema.js';
import { withTrain } from '../recipe/withTrain.js';
import { asPlanned } from './plan.js';
import { isThere } from './directory.js';
import { isOver } from '../train/best.js';
import { findCheckpoint } from '../train/checkpoint.js';

/** Three verbs: `resume` goes on with a run that was stopped, `extend` adds epochs to a finished one, and
 *  `model.weights: run:<directory>` starts a new run from another's weights. */
export interface Continuation {
  readonly resume?: boolean | undefined;
  /** Epochs more. */
  readonly extend?: number | undefined;
}

/** The recipe with which the run in a directory goes on; undefined if it never got as far as writing one: then nothing was
 *  learned, and it begins. Throws E_RESUME_FINISHED, E_EXTEND_UNFINISHED where the other verb is meant, E_RESUME_RECIPE with the options that differ,
 *  and E_CHECKPOINT_DAMAGED. */
export async function continuedRecipe(
  directory: string,
  wanted: Recipe,
  { extend }: Continuation,
): Promise<Recipe | undefined> {
  const file = join(directory, 'recipe.yaml');
  if (!(await isThere(file))) {
    if (extend === undefined) return undefined;
    throw unfinished(directory, 'it has not begun', 'start it without --extend');
  }
  const begun = await loadRecipe(file);
  const { epochs } = begun.train;
  const state = (await findCheckpoint(directory))?.state;
  const done = state?.epoch ?? 0;
  const finished =
    state !== undefined && isOver(state, begun.train) && (await isThere(join(directory, 'metrics.json')));
  if (extend === undefined && finished) {
    throw new FinetuneError({
      code: 'E_RESUME_FINISHED',
      message: `the run is finished: ${done} of ${epochs} epochs`,
      where: { file: directory },
      fix: `--extend N trains N epochs more; model.weights: run:${directory} starts a new run from its weights`,
    });
  }
  if (extend !== undefined && !finished)
    throw unfinished(directory, `it stands at ${done} of ${epochs} epochs`, 'finish it first, with --resume');
  const differences = recipeDifferences(begun, await asPlanned(directory, wanted)).filter(
    ({ path }) => extend === undefined || !LENGTH.includes(path),
  );
  if (differences.length > 0) {
    throw new FinetuneError({
      code: 'E_RESUME_RECIPE',
      message: `the run was begun with another recipe: ${differences.map(describeDifference).join('; ')}`,
      where: { file: directory },
      fix: `go on with its own: finetune ${file} --out ${directory} --resume; or start a new run from its weights: model.weights: run:${directory}`,
    });
  }
  // Whoever asks for more epochs gets them: nothing ends them early.
  return extend === undefined ? begun : withTrain(begun, { epochs: done + extend, earlyStop: false });
}

const unfinished = (directory: string, how: string, fix: string): FinetuneError =>
  new FinetuneError({
    code: 'E_EXTEND_UNFINISHED',
    message: `only a finished run can be extended, and ${how}`,
    where: { file: directory },
    fix,
  });

/** Takes away what said that the run was finished. */
export const reopen = (directory: string): Promise<void> => rm(join(directory, 'metrics.json'), { force: true });
