import type { FastifyReply } from 'fastify';
import { checkImageLimits } from '../../data/image/limits.js';
import { FinetuneError } from '../../errors.js';
import type { Batcher } from '../batches.js';
import { errorOf, type Answer } from '../host.js';
import { refusal } from '../httpErrors.js';
import type { Metrics } from '../metrics.js';
import type { Limits } from '../options.js';
import type { Sent } from '../readRequest.js';

/** What was found in an image, and which model found it. */
export type Found = Extract<Answer, { readonly width: number }>;

export interface PredictParts {
  readonly batcher: Batcher<Uint8Array, Answer>;
  readonly limits: Limits;
  readonly metrics: Metrics;
}

/** Makes the function that predicts for an image of a request, until the signal ends it.
 *  Throws E_IMAGE_DECODE, E_SERVE_PIXELS, E_SERVE_TIME, and why the image could not be read. */
export const createPredictOne =
  ({ batcher, limits, metrics }: PredictParts) =>
  async ({ bytes }: Sent, signal: AbortSignal): Promise<Found> => {
    try {
      if (bytes instanceof FinetuneError) throw bytes;
      await checkImageLimits(bytes, limits.mostPixels);
      const answer = await batcher.run(bytes, signal);
      const error = errorOf(answer);
      if (error) throw error;
      metrics.image('ok');
      return answer as Found;
    } catch (error) {
      metrics.image('error');
      throw error;
    }
  };

/** Aborted when the client goes away before it has its answer. */
export function untilClosed({ raw }: FastifyReply): AbortSignal {
  const controller = new AbortController();
  const closed = (): void => {
    if (!raw.writableFinished) controller.abort(refusal('E_SERVE_STOPPING', 'the client went away'));
  };
  if (raw.closed) closed();
  else raw.once('close', closed);
  return controller.signal;
}

/** A number from 0 to 1 that a request gives as text. Throws E_SERVE_REQUEST. */
export function shareOf(name: string, given: unknown): number {
  if (given === undefined || given === '') return 0;
  const value = Number(given);
  if (value >= 0 && value <= 1) return value;
  throw refusal('E_SERVE_REQUEST', `${name} must be a number from 0 to 1`);
}
