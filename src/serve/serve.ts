import type { AddressInfo } from 'node:net';
import { FinetuneError } from '../errors.js';
import { loadOnnxRuntime } from '../engine/onnxRuntime/runtime.js';
import { installForInference } from '../engine/install/installForInference.js';
import { readModelFolder } from '../modelFolder/readModelFolder.js';
import { locateModel } from '../predict/locateModel.js';
import { createBatcher } from './batches.js';
import type { Answer, HostOptions, Served } from './host.js';
import { openLane, openThreadLane, type Lane } from './lanes.js';
import { watchModel } from './modelFile.js';
import { DEFAULTS, limitsOf, usualWorkers, type ServeOptions } from './options.js';
import { createServer, type Server } from './server.js';

export interface Serving {
  readonly url: string;
  readonly host: string;
  readonly port: number;
  /** The model that answers now. */
  readonly model: () => Served;
  /** Opens the model again, as is done when its file changes. */
  reload(): Promise<void>;
  /** Takes no more requests, answers those in hand, and ends. */
  close(): Promise<void>;
}

/** Serves a trained model over HTTP: see serve of the API. */
export async function serve(path: string, options: ServeOptions = {}): Promise<Serving> {
  const { host = DEFAULTS.host, port = DEFAULTS.port, watchEvery = DEFAULTS.watchEvery, signal, onProgress } = options;
  const log = (message: string): void => onProgress?.({ message });
  const startWatching = await watchModel(path, watchEvery);
  const opened = await openServer(path, options, log);
  const { server, lanes, reload } = opened;
  const { app } = server;
  try {
    signal?.throwIfAborted();
    await app.listen({ host, port });
  } catch (error) {
    await opened.close();
    throw cannotListen(error, host, port);
  }
  const stopWatching = startWatching(reload);
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> =>
    (closing ??= (async () => {
      stopWatching();
      await opened.close();
    })());
  signal?.addEventListener('abort', () => void close());
  const [address] = app.addresses() as [AddressInfo];
  const name = address.family === 'IPv6' ? `[${address.address}]` : address.address;
  return {
    url: `http://${name}:${address.port}`,
    host: address.address,
    port: address.port,
    model: () => lanes[0]!.served,
    reload,
    close,
  };
}

/** The server with its lanes, which does not listen yet. */
async function openServer(
  path: string,
  options: ServeOptions,
  log: (message: string) => void,
): Promise<{ server: Server; lanes: readonly Lane[]; reload: () => Promise<void>; close: () => Promise<void> }> {
  const limits = limitsOf(options);
  const lanes = await openLanes(path, options);
  const { batch = DEFAULTS.batch, batchDelay = DEFAULTS.batchDelay } = options;
  const batcher = createBatcher<Uint8Array, Answer>({
    lanes: lanes.map((lane) => (images) => lane.predict(images)),
    ...{ batch, batchDelay, timeLimit: limits.timeLimit },
    onBatch: (images) => server.metrics.batch(images),
  });
  const server: Server = await createServer({ batcher, served: () => lanes[0]!.served, limits, log });
  /** One lane after the other, so that the others answer meanwhile. */
  const reload = async (): Promise<void> => {
    let renewed = 0;
    try {
      for (const lane of lanes) {
        await lane.reload();
        renewed++;
      }
      server.metrics.reload('ok');
      log(`the model has changed: ${lanes[0]!.served.sha256.slice(0, 12)} answers now`);
    } catch (error) {
      server.metrics.reload('error');
      const where = renewed === 0 ? '' : ` in ${lanes.length - renewed} of ${lanes.length} threads`;
      log(
        `the new model cannot be opened, and the old one goes on${where}: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
  };
  const close = async (): Promise<void> => {
    await server.close();
    await Promise.all(lanes.map((lane) => lane.dispose()));
  };
  return { server, lanes, reload, close };
}

/** The first lane is opened alone: it finds what is wrong with the model. */
async function openLanes(path: string, options: ServeOptions): Promise<Lane[]> {
  const { batch = DEFAULTS.batch, scoreThreshold, tiles, onProgress, signal } = options;
  await installForInference(options.engine ?? 'auto', { onProgress, signal });
  const { engine, blocks } = await engineFor(path, options.engine ?? 'auto');
  const workers = options.workers ?? (blocks ? usualWorkers() : 0);
  const threads = workers > 0 ? 1 : 'auto';
  const host: HostOptions = { path, engine, threads, batch, scoreThreshold, tiles };
  if (workers === 0) return [await openLane(host)];
  const first = await openThreadLane(host);
  const { task, classes } = first.served;
  const same: HostOptions = { ...host, promised: { task, classes } };
  const others = Array.from({ length: workers - 1 }, () => openThreadLane(same));
  return [first, ...(await Promise.all(others))];
}

/** The engine that a server uses, and whether it keeps the thread busy that calls it: all do but TensorFlow. An exported
 *  model has the engine of its format. */
async function engineFor(
  path: string,
  asked: HostOptions['engine'],
): Promise<{ readonly engine: HostOptions['engine']; readonly blocks: boolean }> {
  const located = await locateModel(path);
  if ('folder' in located) {
    const { card } = await readModelFolder(located.folder);
    return { engine: asked, blocks: card.format !== 'savedmodel' };
  }
  const engine = asked === 'auto' && (await hasOnnxRuntime()) ? 'onnxruntime' : asked;
  return { engine, blocks: engine === 'onnxruntime' || engine === 'wasm' };
}

const hasOnnxRuntime = (): Promise<boolean> =>
  loadOnnxRuntime().then(
    () => true,
    (error: unknown) => {
      if (error instanceof FinetuneError) return false;
      throw error;
    },
  );

function cannotListen(error: unknown, host: string, port: number): unknown {
  const { code, syscall } = (error ?? {}) as NodeJS.ErrnoException;
  if (syscall !== 'listen' && syscall !== 'getaddrinfo') return error;
  const why = code === 'EADDRINUSE' ? 'another program uses this port' : (error as Error).message;
  return new FinetuneError(
    {
      code: 'E_SERVE_LISTEN',
      message: `cannot listen on ${host}:${port}: ${why}`,
      fix: 'choose another --port or --host',
    },
    { cause: error },
  );
}
