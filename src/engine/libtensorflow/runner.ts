import type { Exchange } from '../../tensorflow/program.js';
import { SERVE } from '../../tensorflow/savedModel.js';
import type { Feed, WorkersMean } from '../engine.js';
import { createQueue } from '../queue.js';
import { configProto, type SessionConfig } from './config.js';
import type { Pointer } from '../native.js';
import { withStatus, type TensorFlow } from './library.js';
import { runInParts, type Sums } from './parts.js';
import { toFeed, toTensor, type Fed } from './tensors.js';

export interface CallOptions {
  /** Whether the call may run beside others like it, because it changes no variable; default false. */
  readonly together?: boolean;
}

/** A graph in a session of TensorFlow. Calls run one after another, in the order in which they were made, except for
 *  those that may run beside others. */
export interface Runner {
  /** Sets the placeholders and returns the values of the fetched nodes, `name` or `name:output`. The fed values are copied
   *  before it returns. Throws E_TENSORFLOW; the session remains usable. */
  call(feeds: readonly Fed[], fetches: readonly string[], options?: CallOptions): Promise<Feed[]>;
  /** The same for a program that stops for means over all workers, with feeds for each part of the batch that this process
   *  computes. Where an exchange fails, no variable has changed.
   *  Throws E_TENSORFLOW and what `mean` throws; the session remains usable. */
  callInParts(
    feeds: readonly (readonly Fed[])[],
    fetches: readonly string[],
    exchanges: readonly Exchange[],
    mean: WorkersMean,
  ): Promise<Feed[]>;
  /** The kinds of the session's devices: CPU, GPU. */
  deviceTypes(): Promise<string[]>;
  /** Frees graph, session and variables after the last call. */
  close(): void;
}

/** Imports a GraphDef and opens a session for it. Throws E_TENSORFLOW. */
export const openRunner = (tf: TensorFlow, graphDef: Uint8Array, config: SessionConfig): Promise<Runner> =>
  withGraph(tf, async (graph) => {
    await importGraph(tf, graph, graphDef);
    return openSession(tf, config, (options, status) => Promise.resolve(tf.newSession(graph, options, status)));
  });

/** Loads a SavedModel from a folder, and opens a session for it. Throws E_TENSORFLOW. */
export const openSavedModelRunner = (tf: TensorFlow, folder: string, config: SessionConfig): Promise<Runner> =>
  withGraph(tf, (graph) =>
    openSession(tf, config, (options, status) => tf.loadSavedModel(options, folder, [SERVE], graph, status)),
  );

async function withGraph(tf: TensorFlow, open: (graph: Pointer) => Promise<Pointer>): Promise<Runner> {
  const graph = tf.newGraph();
  try {
    return createRunner(tf, graph, await open(graph));
  } catch (error) {
    tf.deleteGraph(graph);
    throw error;
  }
}

async function importGraph(tf: TensorFlow, graph: Pointer, graphDef: Uint8Array): Promise<void> {
  const buffer = tf.newBuffer(graphDef, graphDef.length);
  const options = tf.newImportOptions();
  try {
    await withStatus(tf, (status) => tf.importGraphDef(graph, buffer, options, status));
  } finally {
    tf.deleteImportOptions(options);
    tf.deleteBuffer(buffer);
  }
}

async function openSession(
  tf: TensorFlow,
  config: SessionConfig,
  open: (options: Pointer, status: Pointer) => Promise<Pointer | null>,
): Promise<Pointer> {
  const options = tf.newSessionOptions();
  try {
    const proto = configProto(config);
    await withStatus(tf, (status) => {
      tf.setConfig(options, proto, proto.length, status);
    });
    return (await withStatus(tf, (status) => open(options, status)))!; // null only with a failed status
  } finally {
    tf.deleteSessionOptions(options);
  }
}

function createRunner(tf: TensorFlow, graph: Pointer, session: Pointer): Runner {
  const operations = new Map<string, Pointer>();
  /** TF_Output[]: the address of the operation, and the index of its output as an int that is padded to 8 bytes. */
  const placesOf = (names: readonly string[]): BigInt64Array =>
    BigInt64Array.from(
      names.flatMap((name) => {
        const [operation = '', index = '0'] = name.split(':');
        const found = operations.get(operation) ?? tf.operation(graph, operation);
        if (found === null) throw new Error(`internal: the graph has no node "${operation}"`);
        operations.set(operation, found);
        return [found, BigInt(index)];
      }),
    );
  const queue = createQueue();
  const sums: Sums = new Map();
  const call = async (
    feeds: readonly Fed[],
    fetches: readonly string[],
    { together = false }: CallOptions = {},
  ): Promise<Feed[]> => {
    const places = { inputs: placesOf(feeds.map(({ name }) => name)), outputs: placesOf(fetches) };
    const fed = BigInt64Array.from(feeds, (feed) => toTensor(tf, feed));
    const fetched = new BigInt64Array(fetches.length);
    try {
      return await queue[together ? 'together' : 'alone'](async () => {
        const { inputs, outputs } = places;
        await withStatus(tf, (status) =>
          tf.sessionRun(session, inputs, fed, fed.length, outputs, fetched, fetched.length, status),
        );
        return Array.from(fetched, (tensor) => toFeed(tf, tensor));
      });
    } finally {
      for (const tensor of [...fed, ...fetched]) if (tensor !== 0n) tf.deleteTensor(tensor);
    }
  };
  return {
    call,
    callInParts(feeds, fetches, exchanges, mean) {
      const given = feeds.map((part) => part.map((feed) => ({ name: feed.name, tensor: toTensor(tf, feed) })));
      return queue.alone(() => runInParts({ tf, session, placesOf }, { feeds: given, fetches, exchanges }, sums, mean));
    },
    deviceTypes: () =>
      withStatus(tf, (status) => {
        const list = tf.listDevices(session, status);
        if (list === null) return [];
        const types = Array.from({ length: tf.deviceCount(list) }, (_, i) => tf.deviceType(list, i, status) ?? '');
        tf.deleteDeviceList(list);
        return types;
      }),
    close() {
      void queue
        .alone(() =>
          withStatus(tf, (status) => {
            tf.closeSession(session, status);
            tf.deleteSession(session, status);
            tf.deleteGraph(graph);
          }),
        )
        .catch(() => undefined);
    },
  };
}
