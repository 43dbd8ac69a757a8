import { join } from 'node:path';
import { FinetuneError } from '../errors.js';
import { remove } from '../files/folders.js';
import { describeDifference, LENGTH, recipeDifferences } from '../recipe/differences.js';
import { loadRecipe } from '../recipe/load.js';
import type { Recipe } from '../recipe/schema.js';
import { withTrain, withWeightsFrom } from '../recipe/withTrain.js';
import { asPlanned } from './plan.js';
import { FINISHED, isThere } from './directory.js';
import { isOver } from '../train/best.js';
import { findCheckpoint } from '../train/checkpoint/checkpoint.js';

/** `resume` continues a run that was stopped; `extend` adds epochs to a finished one. (`model.weights:
 *  run:<directory>` starts a new run from the weights of another.) */
export interface Continuation {
  readonly resume: boolean;
  /** Epochs to add. */
  readonly extend: number | undefined;
}

/** The recipe to run in a directory, and whether a run was begun there. A run that is continued keeps its own
 *  recipe; one that was stopped before it wrote its recipe has learned nothing, and starts anew.
 *  Throws E_RESUME_FINISHED and E_EXTEND_UNFINISHED where the other option is meant, E_RESUME_RECIPE with the
 *  options that differ, and E_CHECKPOINT_DAMAGED. */
export async function continueRecipe(
  directory: string,
  wanted: Recipe,
  { resume, extend }: Continuation,
): Promise<{ readonly recipe: Recipe; readonly isBegun: boolean }> {
  if (!resume && extend === undefined) return { recipe: wanted, isBegun: false };
  const file = join(directory, 'recipe.yaml');
  if (!(await isThere(file))) {
    if (extend === undefined) return { recipe: wanted, isBegun: false };
    throw unfinished(directory, 'this one has not begun', 'start it without --extend');
  }
  const begun = await loadRecipe(file);
  const { epochs } = begun.train;
  const state = (await findCheckpoint(directory))?.state;
  const done = state?.epoch ?? 0;
  const finished = state !== undefined && isOver(state, begun.train) && (await isThere(join(directory, FINISHED)));
  if (extend === undefined && finished) {
    throw new FinetuneError({
      code: 'E_RESUME_FINISHED',
      message: `the run is finished: ${done} of ${epochs} epochs`,
      where: { file: directory },
      fix: `--extend N trains N epochs more; model.weights: run:${directory} starts a new run from its weights`,
    });
  }
  if (extend !== undefined && !finished)
    throw unfinished(directory, `this one has done ${done} of ${epochs} epochs`, 'finish it first, with --resume');
  const differences = recipeDifferences(begun, await asPlanned(directory, wanted)).filter(
    ({ path }) => extend === undefined || !LENGTH.includes(path),
  );
  if (differences.length > 0) {
    throw new FinetuneError({
      code: 'E_RESUME_RECIPE',
      message: `the run was begun with another recipe: ${differences.map(describeDifference).join('; ')}`,
      where: { file: directory },
      fix: `continue with its own recipe: finetune ${file} --out ${directory} --resume; or start a new run from its weights: model.weights: run:${directory}`,
    });
  }
  // Its own recipe has no secret of the address that the weights come from; the recipe that is given now may have it.
  const known = withWeightsFrom(begun, wanted.model.weights);
  // All of the added epochs are trained: early stopping is switched off.
  const recipe = extend === undefined ? known : withTrain(known, { epochs: done + extend, earlyStop: false });
  return { recipe, isBegun: true };
}

const unfinished = (directory: string, state: string, fix: string): FinetuneError =>
  new FinetuneError({
    code: 'E_EXTEND_UNFINISHED',
    message: `only a finished run can be extended, and ${state}`,
    where: { file: directory },
    fix,
  });

/** Removes the file that marks a run as finished. */
export const reopenRun = (directory: string): Promise<void> => remove(join(directory, FINISHED));
