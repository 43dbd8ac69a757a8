import type { Backend } from '../engine/backend.js';
import type { Results, Session } from '../engine/engine.js';
import { threadsOf } from '../engine/inference/compileInference.js';
import { runsAtOnce } from '../engine/onnxRuntime/runtime.js';
import { FinetuneError } from '../errors.js';
import { openPredictor } from '../evaluate/predictor.js';
import type { Model } from '../tasks/model.js';
import { programName } from '../tasks/feeds.js';
import { createTurns } from './turns.js';

/** Runs a model on an engine, whatever the order and the batches of the calls are. It owns a session for each of the
 *  last two ways of running it. */
export interface Runner<Prediction, M extends Runnable<Prediction> = Runnable<Prediction>> {
  /** Most images that it can run at once in a batch. */
  readonly mostImages: number;
  /** Most calls that are worth making at once; 1 where batches are faster. */
  readonly mostLanes: number;
  /** Works with the model when the calls before it are done; or beside up to `lanes` − 1 others that were made with so
   *  many lanes. Throws E_MODEL_DISPOSED after `dispose`. */
  inTurn<T>(work: (at: Turn<Prediction, M>) => Promise<T>, lanes?: number): Promise<T>;
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

/** Opens a session for batches of so many images, and so many calls at once. */
type Open<M> = (model: M, batch: number, lanes: number) => Promise<Pick<Session, 'run' | 'dispose'>>;

/** Sessions that are open at once: one for single images, and one for many. */
const MOST_OPEN = 2;

/** Threads that Node has for calls of native code, in which images are decoded, too (libuv's pool). */
const POOL = 4;

/** Runs a model on a backend, in batches of any size. */
export async function runOnBackend<Prediction>(
  model: Model<Prediction>,
  backend: Backend,
): Promise<Runner<Prediction, Model<Prediction>>> {
  const mayBeOnnx = backend.name === 'onnxruntime' || backend.choices !== undefined;
  return createRunner(model, (present, batch, lanes) => openPredictor(present, backend, { batch, lanes }), {
    mostLanes: mayBeOnnx ? await lanesFor(threadsOf(backend)) : 1,
  });
}

/** Number of images that ONNX Runtime should compute at once with so many threads. On few processors, several images with
 *  a part of the threads each take less time than a batch with all of them: one more than threads, so that none waits
 *  while an image's outputs are read. A single thread is asked for on purpose. */
export const lanesFor = async (threads: number): Promise<number> =>
  threads > 1 && threads <= POOL && (await runsAtOnce()) ? threads + 1 : 1;

export function createRunner<Prediction, M extends Runnable<Prediction>>(
  first: M,
  openSession: Open<M>,
  { mostImages = Infinity, mostLanes = 1 } = {},
): Runner<Prediction, M> {
  let model = first;
  const open = new Map<string, ReturnType<Open<M>>>(); // by batch and lanes, the one that was used last at the end
  const turns = createTurns();
  let isDisposed = false;

  const dispose = (session: ReturnType<Open<M>>): void => {
    session.then((opened) => {
      opened.dispose();
    }, ignore);
  };
  const close = (): void => {
    for (const session of open.values()) dispose(session);
    open.clear();
  };
  const closeIfDone = (): void => {
    if (isDisposed && turns.isIdle()) close();
  };
  const sessionFor = (batch: number, lanes: number): ReturnType<Open<M>> => {
    const key = `${batch} ${lanes}`;
    const session = open.get(key) ?? openSession(model, batch, lanes);
    open.delete(key);
    open.set(key, session);
    session.catch(() => open.delete(key)); // the next call tries again
    const [oldest] = open;
    if (open.size > MOST_OPEN) {
      open.delete(oldest![0]);
      dispose(oldest![1]);
    }
    return session;
  };
  const turn = (lanes: number): Turn<Prediction, M> => ({
    model,
    async run(image, batch, size = model.size) {
      const session = await sessionFor(batch, lanes);
      return session.run(programName('evaluate', size, model.task), { image });
    },
    replace(other) {
      close();
      model = other;
    },
  });
  return {
    mostImages,
    mostLanes,
    async inTurn(work, lanes = 1) {
      if (isDisposed) throw disposed();
      try {
        return await turns.take(() => work(turn(lanes)), lanes);
      } finally {
        closeIfDone();
      }
    },
    dispose() {
      isDisposed = true;
      closeIfDone();
    },
  };
}

const ignore = (): void => undefined;

const disposed = (): FinetuneError =>
  new FinetuneError({
    code: 'E_MODEL_DISPOSED',
    message: 'the model was disposed of, and cannot be used any more',
    fix: 'call dispose after the last use',
  });
