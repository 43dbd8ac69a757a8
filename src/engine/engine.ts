import { FinetuneError } from '../errors.js';
import type { Params } from '../graph/params.js';
import { sameShape, sizeOf } from '../graph/shapes.js';
import type { Ops } from '../graph/spec.js';

/** Row-major values: Float32Array for float32, Int32Array for int32, Uint8Array for bool. */
export type Feed = Float32Array | Int32Array | Uint8Array;
export type Feeds = Readonly<Record<string, Feed>>;
export type Results = Readonly<Record<string, Float32Array>>;

/** Computes the means over the parts of a batch, on all workers that train together, of the values that this process has
 *  for each of its own parts. */
export type WorkersMean = (parts: readonly Float32Array[], mean: Float32Array) => Promise<void>;

/** Programs made ready to run, and the values of the parameters they share. Whoever compiles a session disposes of it. */
export interface Session {
  /** Runs one program: takes a feed for each input, makes all updates and returns all outputs (int32 and bool as numbers).
   *  A program with means over workers takes besides the feeds of `others`, further parts of the batch that this process
   *  computes: they only count in the means.
   *  Throws E_FEED, before anything runs, if a feed is missing, unknown, or of another length or type. */
  run(program: string, feeds: Feeds, others?: readonly Feeds[]): Promise<Results>;
  /** Returns the values of the named parameters, or of all. */
  read(names?: readonly string[]): Promise<Params>;
  /** Sets parameters. Throws E_PARAM_SHAPE for a name that the session does not have, or values of another shape. */
  write(params: Params): Promise<void>;
  dispose(): void;
}

const arrayOf = { float32: Float32Array, int32: Int32Array, bool: Uint8Array } as const;

/** Throws E_FEED if the feeds do not fit the inputs. oneDNN would abort the process, without an exception. */
export function checkFeeds(name: string, inputs: readonly Ops['input'][], feeds: Feeds): void {
  const unknown = Object.keys(feeds).filter((key) => !inputs.some((input) => input.name === key));
  const problems = unknown.map((key) => `program "${name}" has no input "${key}"`);
  for (const { name: key, shape, dtype } of inputs) {
    const feed = feeds[key];
    if (!feed) problems.push(`program "${name}" needs the input "${key}"`);
    else if (!(feed instanceof arrayOf[dtype])) problems.push(`input "${key}" must be a ${arrayOf[dtype].name}`);
    else if (feed.length !== sizeOf(shape))
      problems.push(`input "${key}" is [${shape.join()}]: it needs ${sizeOf(shape)} values, not ${feed.length}`);
  }
  if (problems.length > 0) throw new FinetuneError(problems.map((message) => ({ code: 'E_FEED', message })));
}

/** Throws E_PARAM_SHAPE if a value has no parameter of its name and shape. */
export function checkParams(parameters: ReadonlyMap<string, Ops['param']>, params: Params): void {
  const problems = [...params].flatMap(([name, { shape, data }]) => {
    const wanted = parameters.get(name)?.shape;
    if (!wanted) return [`no parameter is called ${name}`];
    if (sameShape(wanted, shape) && data.length === sizeOf(shape)) return [];
    return [`${name} is [${wanted.join()}], not [${shape.join()}] with ${data.length} values`];
  });
  if (problems.length > 0) throw new FinetuneError(problems.map((message) => ({ code: 'E_PARAM_SHAPE', message })));
}
