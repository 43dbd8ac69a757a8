import type { Dataset } from '../data/sample.js';
import type { TaskScore } from '../evaluate/createTask.js';
import { evaluate, type Evaluation } from '../evaluate/evaluate.js';
import { openPredictor } from '../evaluate/predictor.js';
import type { Model } from '../tasks/model.js';
import type { Calibration } from '../tasks/calibration.js';
import type { OperatingPoint } from '../tasks/evaluator.js';
import { checkpointFile } from '../train/checkpoint/checkpoint.js';
import { withWeights } from '../train/modelWeights.js';
import { scoreOldClasses, type OldClasses } from './oldClasses.js';
import type { OpenedRecipe } from './openRecipe.js';
import type { StepOptions } from './trainRun.js';

export interface ScoredRun {
  /** The model with the weights of the best epoch. */
  readonly model: Model<unknown, TaskScore>;
  /** The part that was scored: the test part, or without one the validation part. */
  readonly part: Dataset;
  readonly result: Evaluation<TaskScore>;
  /** The threshold on scores with the best F1 on the validation part, where the task has one. */
  readonly operatingPoint: OperatingPoint | undefined;
  /** How reliable the scores are on the validation part. */
  readonly calibration: Calibration | undefined;
  /** Present where classes were added. */
  readonly oldClasses: OldClasses | undefined;
}

/** Scores the best checkpoint of a run. Returns undefined if the signal stopped it. */
export async function scoreRun(
  opened: OpenedRecipe,
  directory: string,
  { images, signal, onProgress }: StepOptions,
): Promise<ScoredRun | undefined> {
  const { recipe, backend, data } = opened;
  const { batch } = recipe.evaluate;
  const { model } = await withWeights(opened.model, `file:${checkpointFile(directory, 'best')}`, { purpose: 'use' });
  const part = data.test ?? data.val;
  const how = { ...images, batch, signal, onProgress };
  const predictor = await openPredictor(model, backend, { batch, loss: true });
  try {
    const result = await evaluate(model, predictor, part, how);
    const oldClasses = await scoreOldClasses(opened, { model, session: predictor }, how);
    // A threshold that was chosen on the test part would make its score one of the choice.
    const chosenOn = data.test ? await evaluate(model, predictor, data.val, how) : result;
    const [operatingPoint, calibration] = [chosenOn.operatingPoint?.(), chosenOn.calibration()];
    return { model, part, result, operatingPoint, calibration, oldClasses };
  } catch (error) {
    if (signal?.aborted) return undefined;
    throw error;
  } finally {
    predictor.dispose();
  }
}
