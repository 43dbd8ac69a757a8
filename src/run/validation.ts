import type { Backend } from '../engine/backend.js';
import type { Session } from '../engine/engine.js';
import { fixedChoice } from '../engine/inference/choices.js';
import { openPredictor, predictorEngine } from '../evaluate/predictor.js';
import type { LiveModel } from '../train/loop.js';
import type { Workers } from '../workers/workers.js';

/** With fewer images, opening a second session with the present weights takes longer than it gains. */
const ENOUGH = 64;

/** Returns a function that works with a session which holds the present values of a model in training: the training's
 *  own, or one of ONNX Runtime where that computes faster and there are images enough. */
export function chooseValidation(
  backend: Backend,
  { batch, images }: { readonly batch: number; readonly images: number },
  workers: Workers,
) {
  let engine: Awaited<ReturnType<typeof predictorEngine>> | undefined;
  const options = { batch, loss: true };
  return async <T>(live: LiveModel, work: (session: Session) => Promise<T>): Promise<T> => {
    // One decides for all workers: the engines differ in the last bits.
    engine ??= images < ENOUGH ? 'own' : await workers.fromFirst(() => predictorEngine(live.model, backend, options));
    if (engine === 'own') return work(live.session);
    const session = await openPredictor(await live.present(), { ...backend, choices: fixedChoice(engine) }, options);
    try {
      return await work(session);
    } finally {
      session.dispose();
    }
  };
}
