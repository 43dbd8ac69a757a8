import type { Exchange } from '../../tensorflow/program.js';
import { DT } from '../../tensorflow/graphDef.js';
import { sizeOf } from '../../graph/shapes.js';
import type { Feed, WorkersMean } from '../engine.js';
import type { Pointer } from '../native.js';
import { withStatus, type TensorFlow } from './library.js';
import { toFeed, toTensor } from './tensors.js';

/** A session, and the addresses of the nodes of its graph. */
interface OpenSession {
  readonly tf: TensorFlow;
  readonly session: Pointer;
  readonly placesOf: (names: readonly string[]) => BigInt64Array;
}

/** A value for the placeholder of this name. */
interface Given {
  readonly name: string;
  readonly tensor: Pointer;
}

interface Call {
  /** They are deleted. */
  readonly feeds: readonly Given[];
  readonly fetches: readonly string[];
  /** Those of an earlier round first. */
  readonly exchanges: readonly Exchange[];
}

/** Runs a program that stops for means over all workers, in one run of TensorFlow that is fed and fetched in parts. While
 *  the values of one exchange are on their way, TensorFlow computes those of the next one: the gradients of the last
 *  layers travel while those of the first layers are computed. */
export async function runInParts(
  open: OpenSession,
  { feeds, fetches, exchanges }: Call,
  mean: WorkersMean,
): Promise<Feed[]> {
  const { tf } = open;
  const handle = await setUp(open, { feeds, fetches, exchanges });
  const onTheWay: Promise<Given[]>[] = [];
  let given = feeds;
  let round = 0;
  try {
    for (const exchange of exchanges) {
      if (exchange.round > round) given = [...given, ...(await allOf(onTheWay))];
      round = exchange.round;
      const own = await runPart(open, handle, given, exchange.fetches, (tensors) => joined(tf, tensors, exchange));
      given = [];
      const means = mean(own).then((values) => split(tf, values, exchange));
      means.catch(() => undefined); // it is thrown when its round is over
      onTheWay.push(means);
    }
    given = [...given, ...(await allOf(onTheWay))];
    return await runPart(open, handle, given, fetches, (tensors) =>
      Array.from(tensors, (tensor) => toFeed(tf, tensor)),
    );
  } finally {
    void allOf(onTheWay).then((left) => { deleteAll(tf, left); }, () => undefined); // prettier-ignore
    tf.deletePartsHandle(handle);
  }
}

/** Waits for all exchanges that are on their way. */
async function allOf(onTheWay: Promise<Given[]>[]): Promise<Given[]> {
  return (await Promise.all(onTheWay.splice(0))).flat();
}

function deleteAll(tf: TensorFlow, given: readonly Given[]): void {
  for (const { tensor } of given) tf.deleteTensor(tensor);
}

async function setUp({ tf, session, placesOf }: OpenSession, { feeds, fetches, exchanges }: Call): Promise<Pointer> {
  const fed = [...feeds, ...exchanges.flatMap(({ means }) => means)].map(({ name }) => name);
  const inputs = placesOf(fed);
  const outputs = placesOf([...exchanges.flatMap((exchange) => exchange.fetches), ...fetches]);
  const handle = new BigInt64Array(1);
  try {
    await withStatus(tf, (status) =>
      tf.partsSetup(session, inputs, inputs.length / 2, outputs, outputs.length / 2, handle, status),
    );
  } catch (error) {
    deleteAll(tf, feeds);
    throw error;
  }
  return handle[0]!;
}

/** Feeds and fetches one part of a run. */
async function runPart<T>(
  { tf, session, placesOf }: OpenSession,
  handle: Pointer,
  given: readonly Given[],
  fetches: readonly string[],
  read: (tensors: BigInt64Array) => T,
): Promise<T> {
  const [inputs, outputs] = [placesOf(given.map(({ name }) => name)), placesOf(fetches)];
  const fed = BigInt64Array.from(given, ({ tensor }) => tensor);
  const fetched = new BigInt64Array(fetches.length);
  try {
    await withStatus(tf, (status) =>
      tf.partsRun(session, handle, inputs, fed, fed.length, outputs, fetched, fetched.length, status),
    );
    return read(fetched);
  } finally {
    for (const tensor of [...fed, ...fetched]) if (tensor !== 0n) tf.deleteTensor(tensor);
  }
}

/** The values of all tensors of an exchange, one after the other. */
function joined(tf: TensorFlow, tensors: BigInt64Array, { means }: Exchange): Float32Array {
  const sizes = means.map(({ shape }) => sizeOf(shape));
  const values = new Float32Array(sizes.reduce((sum, size) => sum + size, 0));
  let start = 0;
  for (const [i, tensor] of tensors.entries()) {
    const part = values.subarray(start, (start += sizes[i]!));
    tf.copy(part, tf.tensorData(tensor), part.byteLength);
  }
  return values;
}

/** What the placeholders of an exchange are given. */
function split(tf: TensorFlow, values: Float32Array, { means }: Exchange): Given[] {
  let start = 0;
  return means.map(({ name, shape }) => {
    const part = values.subarray(start, (start += sizeOf(shape)));
    return { name, tensor: toTensor(tf, { name, shape, dtype: DT.float32, values: part }) };
  });
}
