import type { Socket } from 'node:net';
import cors from '@fastify/cors';
import multipart from '@fastify/multipart';
import rateLimit from '@fastify/rate-limit';
import swagger from '@fastify/swagger';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { bearerOf, checkHost, checkToken } from './access.js';
import { createAdmission } from './admission.js';
import type { Batcher } from './batches.js';
import { createClosing } from './closing.js';
import type { Answer, Served } from './host.js';
import { explain, rawAnswer, refusal } from './httpErrors.js';
import { createMetrics, type Metrics } from './metrics.js';
import type { Limits } from './options.js';
import { checkEncoding, MOST_FIELD_BYTES, MOST_FIELDS, MOST_IMAGES, readRequest } from './readRequest.js';
import { addDeepStack } from './routes/deepStack.js';
import { addPages } from './routes/pages.js';
import { addPredict } from './routes/predict.js';
import { createPredictOne } from './routes/predictOne.js';
import type { Hook } from './routes/route.js';

export interface ServerParts {
  readonly batcher: Batcher<Uint8Array, Answer>;
  readonly served: () => Served;
  readonly limits: Limits;
  /** Gets a line for each mistake of ours. */
  readonly log: (message: string) => void;
}

export interface Server {
  readonly app: FastifyInstance;
  readonly metrics: Metrics;
  /** Answers what clients sent before, takes no more connections, and ends. */
  close(): Promise<void>;
}

/** Milliseconds for the headers of a request, and between two requests of a connection. */
const [HEADERS_TIME, IDLE_TIME] = [10_000, 5000];
/** Bytes of the headers of a request at most, and connections. */
const [MOST_HEADER_BYTES, MOST_CONNECTIONS] = [16 * 1024, 1000];
/** Seconds after which a client that was refused may try again, and for which a browser may remember what pages may do. */
const [RETRY_AFTER, PREFLIGHT_AGE] = [1, 600];

/** Builds the HTTP server: its routes, limits and answers. It does not listen yet. */
export async function createServer({ batcher, served, limits, log }: ServerParts): Promise<Server> {
  const admission = createAdmission(limits, (socket, why) => socket.end(rawAnswer(why)));
  const metrics = createMetrics({ waiting: () => batcher.waiting(), ...admission, served });
  const fail = (reply: FastifyReply, error: unknown): FastifyReply => {
    const { status, body } = explain(error, log);
    if (status === 401) void reply.header('www-authenticate', 'Bearer');
    if (status === 503 || status === 429) void reply.header('retry-after', String(RETRY_AFTER));
    return reply.code(status).send(body);
  };
  const app = createApp(limits, fail);
  app.setErrorHandler((error, _request, reply) => fail(reply, error));
  app.setNotFoundHandler(({ method, url }, reply) =>
    fail(reply, refusal('E_SERVE_ROUTE', `there is no ${method} ${url.slice(0, 100)}`)),
  );
  await addPlugins(app, limits);
  app.addHook(
    'onRequest',
    checking((request) => checkHost(request, limits)),
  );
  const closing = createClosing(app, limits.timeLimit);
  app.addHook('onSend', (_request, reply, _payload, done) => {
    void reply.header('x-content-type-options', 'nosniff').header('cache-control', 'no-store');
    if (closing.isStopping()) void reply.header('connection', 'close'); // an idle connection would delay the end
    done();
  });
  app.addHook('onResponse', ({ routeOptions }, { statusCode, elapsedTime }, done) => {
    metrics.request(routeOptions.url ?? 'none', statusCode, elapsedTime / 1000);
    done();
  });

  const authorize = (request: FastifyRequest): void => checkToken(limits.token, [bearerOf(request)]);
  const parts = {
    ...{ limits, served, log, predictOne: createPredictOne({ batcher, limits, metrics }) },
    authorized: checking(authorize),
    admitted: checking((request) => {
      checkEncoding(request);
      admission.receive(request);
    }),
    read: (request: FastifyRequest, reply: FastifyReply) =>
      readRequest(request, { limits, received: () => admission.takePlace(reply) }),
  };
  addPredict(app, parts);
  addDeepStack(app, parts);
  addPages(app, { ...parts, metrics });
  const close = async (): Promise<void> => {
    await closing.close();
    admission.dispose();
  };
  return { app, metrics, close };
}

/** A hook that ends the request with what the check throws. */
const checking =
  (check: (request: FastifyRequest, reply: FastifyReply) => void): Hook =>
  (request, reply, done) => {
    try {
      check(request, reply);
    } catch (error) {
      done(error as Error);
      return;
    }
    done();
  };

function createApp(
  { mostBytes, timeLimit }: Limits,
  fail: (reply: FastifyReply, error: unknown) => FastifyReply,
): FastifyInstance {
  const app = fastify({
    bodyLimit: mostBytes,
    requestTimeout: timeLimit,
    keepAliveTimeout: IDLE_TIME,
    forceCloseConnections: 'idle',
    return503OnClosing: false, // a request that comes on a connection from before is answered
    http: { maxHeaderSize: MOST_HEADER_BYTES, headersTimeout: HEADERS_TIME, connectionsCheckingInterval: 1000 },
    frameworkErrors: (error, _request, reply) => void fail(reply, error), // an address that is none, which no route gets
    clientErrorHandler: ({ code }: NodeJS.ErrnoException, socket: Socket) => {
      if (code !== 'ECONNRESET' && socket.writable) socket.end(rawAnswer(code));
      else socket.destroy();
    },
  });
  app.server.maxConnections = MOST_CONNECTIONS;
  app.setValidatorCompiler(() => () => true); // the schemas are documentation
  app.setSerializerCompiler(() => (body) => JSON.stringify(body));
  app.removeContentTypeParser('text/plain');
  app.addContentTypeParser(/^(image\/|application\/octet-stream)/, { parseAs: 'buffer' }, (_request, body, done) => {
    done(null, body);
  });
  return app;
}

async function addPlugins(app: FastifyInstance, { mostBytes, rate, cors: origins }: Limits): Promise<void> {
  if (origins.length > 0)
    await app.register(cors, {
      origin: [...origins],
      methods: ['GET', 'POST'],
      allowedHeaders: ['authorization', 'content-type'],
      exposedHeaders: ['x-model', 'retry-after', 'www-authenticate'],
      maxAge: PREFLIGHT_AGE,
    });
  await app.register(swagger, { openapi: { openapi: '3.1.0', info: { title: 'finetune serve', version: '1' } } });
  await app.register(multipart, {
    limits: {
      ...{ fileSize: mostBytes, files: MOST_IMAGES, fields: MOST_FIELDS, fieldSize: MOST_FIELD_BYTES },
      ...{ fieldNameSize: 100, headerPairs: 20, parts: MOST_IMAGES + MOST_FIELDS },
    },
  });
  if (rate === undefined) return;
  await app.register(rateLimit, {
    global: false, // a hook of the whole server counts requests without the token, too
    max: rate,
    timeWindow: 60_000,
    errorResponseBuilder: () => refusal('E_SERVE_RATE', 'there were too many requests from this address'),
  });
  app.addHook('onRequest', app.rateLimit());
}
