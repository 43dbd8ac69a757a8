import type { FastifyInstance } from 'fastify';
import type { Metrics } from '../metrics.js';
import type { RouteParts } from './route.js';
import { healthSchema, metricsSchema } from './openApi.js';
import { PAGE, PAGE_POLICY } from './page.js';

/** What is read about the server: its model, its numbers, its routes, and a page to try it. */
export function addPages(
  app: FastifyInstance,
  { served, authorized, metrics }: RouteParts & { readonly metrics: Metrics },
): void {
  app.get('/health', { schema: healthSchema }, (_request, reply) => reply.send({ status: 'ok', ...served() }));
  app.get('/metrics', { schema: metricsSchema, onRequest: authorized }, async (_request, reply) =>
    reply.type(metrics.contentType).send(await metrics.text()),
  );
  app.get('/openapi.json', { schema: { hide: true } }, (_request, reply) => reply.send(app.swagger()));
  app.get('/', { schema: { hide: true } }, (_request, reply) =>
    reply.type('text/html; charset=utf-8').header('content-security-policy', PAGE_POLICY).send(PAGE),
  );
}
