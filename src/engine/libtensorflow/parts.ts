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

/** The sums that a session keeps by name, and in them by part of the batch: float32 values one after the other. */
export type Sums = Map<string, Float32Array[]>;

interface Call {
  /** For each part of the batch that this process computes. They are deleted. */
  readonly feeds: readonly (readonly Given[])[];
  readonly fetches: readonly string[];
  /** Those of an earlier round first. */
  readonly exchanges: readonly Exchange[];
}

/** A run of the session that is fed and fetched in parts. */
interface Run {
  readonly handle: Pointer;
  /** Values that TensorFlow gets together with the next fetch. */
  given: readonly Given[];
}

/** Runs a program that stops for means over all workers, or for values that are added to `sums`, in one run of TensorFlow that
 *  is fed and fetched in parts. While the values of one exchange are on their way, TensorFlow computes those of the next one:
 *  the gradients of the last layers travel while those of the first layers are computed.
 *  The first part of the batch has the run with the outputs and updates; the runs of the others end with their last exchange.
 *  Between two rounds of exchanges they compute one after the other. */
export async function runInParts(open: OpenSession, call: Call, sums: Sums, mean: WorkersMean): Promise<Feed[]> {
  const { tf } = open;
  const { fetches, exchanges } = call;
  const rounds = roundsOf(exchanges);
  const runs: Run[] = [];
  const onTheWay: Promise<Given[][]>[] = [];
  try {
    for (const [i, given] of call.feeds.entries())
      runs.push({ handle: await setUp(open, i === 0 ? call : { ...call, fetches: [] }, rounds), given });
    const [first] = runs as [Run];
    for (const [i, round] of rounds.entries()) {
      const arrived = await allOf(onTheWay);
      for (const [k, run] of runs.entries()) run.given = [...run.given, ...(arrived[k] ?? [])];
      const takers = i < rounds.length - 1 ? runs.length : 1;
      for (const [part, run] of runs.entries())
        for (const exchange of round) {
          const memory = memoryOf(exchange, runs.length);
          await runPart(open, run, exchange.fetches, (tensors) => { join(tf, tensors, exchange, memory.parts[part]!); }); // prettier-ignore
          if (run !== runs.at(-1)) continue;
          if (exchange.sums !== null) addSums(sums, exchange, memory.parts);
          if (exchange.means === null) continue;
          const means = mean(memory.parts, memory.mean).then(() =>
            Array.from({ length: takers }, () => split(tf, memory.mean, exchange)),
          );
          means.catch(() => undefined); // it is thrown when its round is over
          onTheWay.push(means);
        }
    }
    first.given = [...first.given, ...((await allOf(onTheWay))[0] ?? [])];
    return await runPart(open, first, fetches, (tensors) => Array.from(tensors, (tensor) => toFeed(tf, tensor)));
  } finally {
    void allOf(onTheWay).then((left) => { deleteAll(tf, left.flat()); }, () => undefined); // prettier-ignore
    deleteAll(tf, [...runs.map(({ given }) => given), ...call.feeds.slice(runs.length)].flat());
    for (const { handle } of runs) tf.deletePartsHandle(handle);
  }
}

/** The exchanges by their rounds. */
function roundsOf(exchanges: readonly Exchange[]): Exchange[][] {
  const rounds: Exchange[][] = [];
  for (const exchange of exchanges) (rounds[exchange.round] ??= []).push(exchange);
  return rounds;
}

/** Waits for all exchanges that are on their way, and returns what each run is fed. */
async function allOf(onTheWay: Promise<Given[][]>[]): Promise<Given[][]> {
  const all = await Promise.all(onTheWay.splice(0));
  return (all[0] ?? []).map((_, run) => all.flatMap((means) => means[run]!));
}

function deleteAll(tf: TensorFlow, given: readonly Given[]): void {
  for (const { tensor } of given) tf.deleteTensor(tensor);
}

/** Begins a run. One without outputs ends with the last exchange, and takes no means of it. */
async function setUp(
  { tf, session, placesOf }: OpenSession,
  { feeds, fetches, exchanges }: Call,
  rounds: readonly (readonly Exchange[])[],
): Promise<Pointer> {
  const taken = fetches.length > 0 ? exchanges : rounds.slice(0, -1).flat();
  const inputs = placesOf([...feeds[0]!.map(({ name }) => name), ...taken.flatMap(({ means }) => means ?? [])]);
  const outputs = placesOf([...exchanges.flatMap((exchange) => exchange.fetches), ...fetches]);
  const handle = new BigInt64Array(1);
  await withStatus(tf, (status) =>
    tf.partsSetup(session, inputs, inputs.length / 2, outputs, outputs.length / 2, handle, status),
  );
  return handle[0]!;
}

/** Feeds what a run is given, and fetches some of its values. */
async function runPart<T>(
  { tf, session, placesOf }: OpenSession,
  run: Run,
  fetches: readonly string[],
  read: (tensors: BigInt64Array) => T,
): Promise<T> {
  const { handle, given } = run;
  run.given = [];
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

/** The values of an exchange: those of each part of the batch, and their mean. */
interface Memory {
  readonly parts: readonly Float32Array[];
  readonly mean: Float32Array;
}
/** It is used again in every step: V8 collects garbage whenever some tens of MiB were allocated outside of its heap. */
const memories = new WeakMap<Exchange, Memory>();

function memoryOf(exchange: Exchange, parts: number): Memory {
  const known = memories.get(exchange);
  if (known?.parts.length === parts) return known;
  const length = exchange.shapes.reduce((sum, shape) => sum + sizeOf(shape), 0);
  const made = {
    parts: Array.from({ length: parts }, () => new Float32Array(length)),
    mean: new Float32Array(exchange.means === null ? 0 : length),
  };
  memories.set(exchange, made);
  return made;
}

/** Adds the values of each part to its sums, or the sums to the values whose means are taken next: they are 0 after that. */
function addSums(sums: Sums, { sums: name, means }: Exchange, parts: readonly Float32Array[]): void {
  const kept = sums.get(name!) ?? parts.map(({ length }) => new Float32Array(length));
  sums.set(name!, kept);
  for (const [i, values] of parts.entries()) {
    const [from, to] = means === null ? [values, kept[i]!] : [kept[i]!, values];
    for (let k = 0; k < to.length; k++) to[k]! += from[k]!;
    if (means !== null) from.fill(0);
  }
}

/** Writes the values of all tensors of an exchange one after the other. */
function join(tf: TensorFlow, tensors: BigInt64Array, { shapes }: Exchange, values: Float32Array): void {
  let start = 0;
  for (const [i, tensor] of tensors.entries()) {
    const part = values.subarray(start, (start += sizeOf(shapes[i]!)));
    tf.copy(part, tf.tensorData(tensor), part.byteLength);
  }
}

/** What the placeholders of an exchange are given. */
function split(tf: TensorFlow, values: Float32Array, { means, shapes }: Exchange): Given[] {
  let start = 0;
  return (means ?? []).map((name, i) => {
    const shape = shapes[i]!;
    const part = values.subarray(start, (start += sizeOf(shape)));
    return { name, tensor: toTensor(tf, { name, shape, dtype: DT.float32, values: part }) };
  });
}
