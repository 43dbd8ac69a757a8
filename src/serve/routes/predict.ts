import type { FastifyInstance } from 'fastify';
import { entryToJson, type AnyFound } from '../../predict/entry.js';
import { toHttpError } from '../httpErrors.js';
import type { Sent } from '../readRequest.js';
import type { RouteParts } from './route.js';
import { predictSchema } from './openApi.js';
import { shareOf, untilClosed } from './predictOne.js';

/** POST /predict: the entries of `finetune predict --json`. */
export function addPredict(app: FastifyInstance, { predictOne, authorized, admitted, read }: RouteParts): void {
  const how = { schema: predictSchema, onRequest: [authorized, admitted] };
  app.post<{ Querystring: { threshold?: unknown } }>('/predict', how, async (request, reply) => {
    const least = shareOf('threshold', request.query.threshold);
    const { images, isList } = await read(request, reply);
    const signal = untilClosed(reply);
    const predict = async (sent: Sent): Promise<object> => {
      const { sha256, ...found } = await predictOne(sent, signal);
      void reply.header('x-model', sha256.slice(0, 12));
      const predictions = found.predictions.filter((one) => scoreOf(one) >= least);
      return entryToJson({ file: sent.file!, ...found, predictions });
    };
    if (!isList) return predict(images[0]!);
    const failed = (error: unknown, { file }: Sent): object => ({ file, ...toHttpError(error).body });
    return Promise.all(images.map((sent) => predict(sent).catch((error: unknown) => failed(error, sent))));
  });
}

const scoreOf = (found: AnyFound): number => ('probability' in found ? found.probability : found.score);
