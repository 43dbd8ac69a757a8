import { join } from 'node:path';
import type { Dataset } from '../data/sample.js';
import { viewsOf } from '../data/views.js';
import type { Backend } from '../engine/backend.js';
import { makeFolder } from '../files/folders.js';
import type { Model } from '../tasks/model.js';
import { calibrateBatchNorm } from './calibrate.js';
import { findCheckpoint } from './checkpoint/checkpoint.js';
import { promiseFreeze } from './checkpoint/receipt.js';
import { firstState } from './checkpoint/state.js';
import { openPhase } from './openPhase.js';
import type { TrainOptions } from './options.js';
import { planTraining } from './planTraining.js';
import { valuesAt, type Setup } from './setup.js';
import { Trainer } from './trainer.js';

/** Gets everything ready for the first step, or for the one after the last checkpoint. Whoever opens a trainer disposes
 *  of it.
 *  Throws what planTraining, the engine and the checkpoint throw. */
export async function openTrainer(
  model: Model,
  images: Dataset,
  backend: Backend,
  options: TrainOptions,
): Promise<Trainer> {
  const { directory } = options;
  const data = viewsOf(images, options.tiles);
  const plan = planTraining(model, data, options);
  // A run that was killed before its first checkpoint starts again, and repeats the same steps.
  const found = options.resume ? await findCheckpoint(directory, { setAside: true }) : undefined;
  const calibrates = !found && model.folded.some(plan.trainsBatchNorm);
  const start = calibrates ? await calibrateBatchNorm(model, data, backend, plan.trainsBatchNorm, options) : model;
  const recipe = model.old ? `${options.recipe}/${model.old.sha256}` : options.recipe;
  const setup: Setup = { model: start, plan, data, backend, options, recipe };
  const state = found?.state ?? firstState(recipe, options.share.count);
  const { phase, params, folded } = await valuesAt(found, setup);
  await makeFolder(join(directory, 'checkpoints'));
  const opened = await openPhase(phase, params, data, backend, options);
  if (plan.frozen.length > 0 && !found) await promiseFreeze(directory, plan.frozen, params, model.parameters);
  return new Trainer({ ...setup, model: { ...start, folded } }, state, opened, found?.instead);
}
