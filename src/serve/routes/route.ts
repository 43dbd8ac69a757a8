import type { FastifyReply, FastifyRequest, HookHandlerDoneFunction } from 'fastify';
import type { Served } from '../host.js';
import type { Limits } from '../options.js';
import type { Brought } from '../readRequest.js';
import type { createPredictOne } from './predictOne.js';

/** What the routes share. */
export interface RouteParts {
  readonly limits: Limits;
  readonly served: () => Served;
  readonly log: (message: string) => void;
  readonly predictOne: ReturnType<typeof createPredictOne>;
  /** Refuses requests without the token before their body is read. */
  readonly authorized: Hook;
  /** Refuses requests when there are too many, before their body is read. */
  readonly admitted: Hook;
  /** Reads a request, and gives it one of the places of the server: see readRequest. Throws E_SERVE_BUSY. */
  readonly read: (request: FastifyRequest, reply: FastifyReply) => Promise<Brought>;
}

export type Hook = (request: FastifyRequest, reply: FastifyReply, done: HookHandlerDoneFunction) => void;
