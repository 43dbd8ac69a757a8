import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { bearerOf, checkToken } from '../access.js';
import { explain, refusal } from '../httpErrors.js';
import type { RouteParts } from './route.js';
import { toDeepStack, toScene } from './deepStackForm.js';
import { detectionSchema, sceneSchema } from './openApi.js';
import { shareOf, untilClosed, type Found } from './predictOne.js';

/** The routes of DeepStack and CodeProject.AI. Their token is a field of the form (`api_key`), so the form is read first. */
export function addDeepStack(
  app: FastifyInstance,
  { limits, served, log, predictOne, admitted, read }: RouteParts,
): void {
  const answer =
    (run: (found: Found, leastConfidence: number) => object) =>
    async (request: FastifyRequest, reply: FastifyReply): Promise<object> => {
      try {
        const { images, fields } = await read(request, reply);
        checkToken(limits.token, [bearerOf(request), fields['api_key']]);
        const least = shareOf('min_confidence', fields['min_confidence']);
        return run(await predictOne(images[0]!, untilClosed(reply)), least);
      } catch (error) {
        const { status, body } = explain(error, log);
        return reply.code(status).send({ success: false, error: body.error.message, code: body.error.code });
      }
    };
  const needs = (isRight: boolean, other: string): void => {
    if (!isRight) throw refusal('E_SERVE_REQUEST', `the model is for ${served().task}: use ${other}`);
  };
  const detect = answer((found, least) => {
    needs(served().task !== 'classification', '/v1/vision/scene');
    return { success: true, predictions: toDeepStack(found, least), duration: 0 };
  });
  const scene = answer(({ predictions }) => {
    needs(served().task === 'classification', '/v1/vision/detection');
    return toScene(predictions);
  });
  app.post('/v1/vision/detection', { schema: detectionSchema, onRequest: admitted }, detect);
  app.post('/v1/vision/custom/:model', { schema: detectionSchema, onRequest: admitted }, detect);
  app.post('/v1/vision/scene', { schema: sceneSchema, onRequest: admitted }, scene);
}
