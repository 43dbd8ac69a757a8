import type { ImageOptions } from '../data/pipeline/loader.js';
import type { OwnShare } from '../data/pipeline/share.js';
import { evaluateTogether } from '../evaluate/evaluate.js';
import type { ProgressEvent } from '../progress.js';
import { train, type Run } from '../train/loop.js';
import type { PseudoLabels } from '../train/pseudoLabels.js';
import { epochScore } from './oldClasses.js';
import type { OpenedRecipe } from './openRecipe.js';
import { recipePseudoLabels } from './pseudoLabels.js';
import { trainOptions } from './trainOptions.js';
import type { Workers } from '../workers/workers.js';
import { chooseValidation } from './validation.js';
import { describeWorkers } from './workers.js';

export interface StepOptions {
  readonly images: ImageOptions;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((event: ProgressEvent) => void) | undefined;
}

export interface TrainRunOptions extends StepOptions {
  readonly resume: boolean;
  readonly until: number | undefined;
  readonly workers: Workers;
  readonly share: OwnShare;
}

export interface TrainedRun extends Run {
  /** The characters that a weakly supervised run found in its words. */
  readonly pseudo: PseudoLabels | undefined;
}

/** Trains the model of a recipe and leaves the checkpoints in the run directory. After each epoch the validation
 *  part is scored, and where classes were added, the old classes too. */
export async function trainRun(
  { recipe, backend, data, model }: OpenedRecipe,
  directory: string,
  { images, resume, until, workers, share, signal, onProgress }: TrainRunOptions,
): Promise<TrainedRun> {
  const { best, batch } = recipe.evaluate;
  const pseudo = recipePseudoLabels(recipe, data.train, directory);
  const options = { ...trainOptions(recipe, images, directory), share, resume, until };
  const validate = chooseValidation(backend, { batch, images: data.val.annotations.length }, workers);
  const began = performance.now();
  const trained = await train(model, pseudo?.dataset ?? data.train, backend, options, {
    signal,
    onProgress,
    enterEpoch: pseudo && ((session, state) => pseudo.enterEpoch(session, model.task, state)),
    evaluate: (live, signal) =>
      validate(live, async (session) => {
        const how = { ...images, batch, brief: true, signal, onProgress };
        const own = await evaluateTogether(model, session, data.val, how, workers);
        const old = data.old && (await evaluateTogether(model, session, data.old.after, how, workers));
        return workers.fromFirst(() => Promise.resolve(epochScore(best, { own: own!, old }, onProgress)));
      }),
  });
  const notes = await describeWorkers(trained, (performance.now() - began) / 1000, workers, share);
  return { ...trained, notes: [...trained.notes, ...notes], pseudo };
}
