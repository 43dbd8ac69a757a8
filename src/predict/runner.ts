import type { Backend } from '../engine/backend.js';
import type { Results, Session } from '../engine/engine.js';
import { FinetuneError } from '../errors.js';
import { openPredictor } from '../evaluate/predictor.js';
import type { Model } from '../tasks/model.js';
import { programName } from '../tasks/feeds.js';

/** Runs a model on an engine, one call after the other, whatever the order and the batches of the calls are. It owns a
 *  session for each of the last two sizes of batches. */
export interface Runner<Prediction, M extends Runnable<Prediction> = Runnable<Prediction>> {
  /** Most images that it can run at once. */
  readonly mostImages: number;
  /** Works with the model when the calls before it are done. Throws E_MODEL_DISPOSED after `dispose`. */
  inTurn<T>(work: (at: Turn<Prediction, M>) => Promise<T>): Promise<T>;
  /** Calls that were made before end first; a second call does nothing. */
  dispose(): void;
}

/** What a call may do while it is its turn. */
export interface Turn<Prediction, M extends Runnable<Prediction> = Runnable<Prediction>> {
  readonly model: M;
  /** pixels [batch, height, width, 3] → the model's outputs. */
  run(pixels: Float32Array, batch: number, size?: readonly [number, number]): Promise<Results>;
  /** Goes on with another model. */
  replace(model: M): void;
}

/** What running a model needs to know of it. */
export type Runnable<Prediction> = Pick<Model<Prediction>, 'task' | 'size'>;

/** Opens a session that runs so many images at once. */
type Open<M> = (model: M, batch: number) => Promise<Pick<Session, 'run' | 'dispose'>>;

/** Sessions that are open at once: one for single images, and one for many. */
const MOST_OPEN = 2;

/** Runs a model on a backend, in batches of any size. */
export const runOnBackend = <Prediction>(
  model: Model<Prediction>,
  backend: Backend,
): Runner<Prediction, Model<Prediction>> =>
  createRunner(model, (present, batch) => openPredictor(present, backend, { batch }));

export function createRunner<Prediction, M extends Runnable<Prediction>>(
  first: M,
  openSession: Open<M>,
  mostImages = Infinity,
): Runner<Prediction, M> {
  let model = first;
  const open = new Map<number, Awaited<ReturnType<Open<M>>>>(); // by the batch, the one that was used last at the end
  let waiting = 0; // calls that have not ended
  let last: Promise<unknown> = Promise.resolve();
  let isDisposed = false;

  const close = (): void => {
    for (const session of open.values()) session.dispose();
    open.clear();
  };
  const turn = (): Turn<Prediction, M> => ({
    model,
    async run(image, batch, size = model.size) {
      const session = open.get(batch) ?? (await openSession(model, batch));
      open.delete(batch);
      open.set(batch, session);
      const [oldest] = open;
      if (open.size > MOST_OPEN) {
        open.delete(oldest![0]);
        oldest![1].dispose();
      }
      return session.run(programName('evaluate', size, model.task), { image });
    },
    replace(other) {
      close();
      model = other;
    },
  });
  const ended = (): void => {
    waiting--;
    if (isDisposed && waiting === 0) close();
  };
  return {
    mostImages,
    async inTurn(work) {
      if (isDisposed) throw disposed();
      waiting++;
      const result = last.then(() => work(turn()));
      last = result.then(ended, ended);
      return result;
    },
    dispose() {
      isDisposed = true;
      if (waiting === 0) close();
    },
  };
}

const disposed = (): FinetuneError =>
  new FinetuneError({
    code: 'E_MODEL_DISPOSED',
    message: 'the model was disposed of, and cannot be used any more',
    fix: 'call dispose after the last use',
  });
