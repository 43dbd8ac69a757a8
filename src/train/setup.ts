import type { Dataset } from '../data/sample.js';
import type { Backend } from '../engine/backend.js';
import type { Params } from '../graph/params.js';
import type { Model } from '../tasks/model.js';
import { loadCheckpoint, startSlots, type FoundCheckpoint } from './checkpoint/checkpoint.js';
import type { TrainOptions } from './options.js';
import type { Phase } from './planPhase.js';
import type { TrainingPlan } from './planTraining.js';

/** What stays the same throughout a run. */
export interface Setup {
  /** With the values that the run starts from. */
  readonly model: Model;
  readonly plan: TrainingPlan;
  readonly data: Dataset;
  readonly backend: Backend;
  readonly options: TrainOptions;
  /** Identifies the recipe, and the old model where there is one, in the checkpoints. */
  readonly recipe: string;
}

/** The phase and the values of a checkpoint, or those of the start. Throws what loadCheckpoint throws. */
export async function valuesAt(
  found: FoundCheckpoint | undefined,
  { model, plan, recipe, options }: Setup,
): Promise<{ readonly phase: Phase; readonly params: Params; readonly folded: readonly string[] }> {
  const phase = plan.phases[found?.state.thawed ?? 0]!;
  if (found)
    return { phase, ...(await loadCheckpoint(found, model, phase.slots, { recipe, workers: options.share.count })) };
  const params: Params = new Map([...model.params, ...startSlots(phase.slots, model.params)]);
  return { phase, params, folded: model.folded };
}
