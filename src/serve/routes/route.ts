import type { FastifyReply, FastifyRequest, HookHandlerDoneFunction } from 'fastify';
import type { Served } from '../host.js';
import type { Limits } from '../options.js';
import type { createPredictOne } from './predictOne.js';

/** What the routes share. */
export interface RouteParts {
  readonly limits: Limits;
  readonly served: () => Served;
  readonly log: (message: string) => void;
  readonly predictOne: ReturnType<typeof createPredictOne>;
  /** Refuses requests without the token before their body is read. */
  readonly authorized: Hook;
  /** Refuses requests when there are too many. */
  readonly admitted: Hook;
}

export type Hook = (request: FastifyRequest, reply: FastifyReply, done: HookHandlerDoneFunction) => void;
