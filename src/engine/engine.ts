import { FinetuneError, invariant } from '../errors.js';
import { isOp } from '../graph/builder.js';
import { ancestors } from '../graph/rewrite.js';
import { sameShape, sizeOf } from '../graph/shapes.js';
import type { Params } from '../graph/params.js';
import type { Node, Ops, Value } from '../graph/spec.js';

/** What one call computes: values to return by name, and assignments to make. All of one graph. */
export interface Program {
  readonly outputs: Readonly<Record<string, Value>>;
  readonly updates?: readonly Value[];
}

export type Programs = Readonly<Record<string, Program>>;
/** Row-major values: Float32Array for float32, Int32Array for int32, Uint8Array for bool. */
export type Feed = Float32Array | Int32Array | Uint8Array;
export type Feeds = Readonly<Record<string, Feed>>;
export type Results = Readonly<Record<string, Float32Array>>;

/** Programs made ready to run, and the parameters they share. Whoever compiles it disposes of it. */
export interface Session {
  /** Runs one program: all inputs fed, all outputs returned (int32 and bool as numbers), all updates made.
   *  Throws E_FEED where a feed is missing, unknown, or of another length or type; nothing has run then. */
  run(program: string, feeds: Feeds): Promise<Results>;
  /** Values of the named parameters, or of all. */
  read(names?: readonly string[]): Promise<Params>;
  /** Throws E_PARAM_SHAPE for a name the session does not have, or values of another shape. */
  write(params: Params): Promise<void>;
  dispose(): void;
}

const nodesOf = ({ outputs, updates = [] }: Program): Node[] => ancestors([...Object.values(outputs), ...updates]);

/** The parameters of all programs by name. */
export function parametersOf(programs: Programs): Map<string, Ops['param']> {
  const parameters = new Map<string, Ops['param']>();
  for (const node of Object.values(programs).flatMap(nodesOf)) {
    if (!isOp(node, 'param')) continue;
    const known = parameters.get(node.attrs.name);
    invariant(!known || sameShape(known.shape, node.attrs.shape), `two shapes for ${node.attrs.name}`);
    parameters.set(node.attrs.name, node.attrs);
  }
  return parameters;
}

export function inputsOf(program: Program): Ops['input'][] {
  return nodesOf(program).flatMap((node) => (isOp(node, 'input') ? [node.attrs] : []));
}

const arrayOf = { float32: Float32Array, int32: Int32Array, bool: Uint8Array } as const;

/** A wrong feed aborts the process inside oneDNN, without an exception: so everything is checked before. Throws E_FEED. */
export function checkFeeds(name: string, inputs: readonly Ops['input'][], feeds: Feeds): void {
  const unknown = Object.keys(feeds).filter((key) => !inputs.some((input) => input.name === key));
  const problems = unknown.map((key) => `program "${name}" has no input "${key}"`);
  for (const { name: key, shape, dtype } of inputs) {
    const feed = feeds[key];
    if (!feed) problems.push(`program "${name}" wants its input "${key}"`);
    else if (!(feed instanceof arrayOf[dtype])) problems.push(`input "${key}" wants a ${arrayOf[dtype].name}`);
    else if (feed.length !== sizeOf(shape))
      problems.push(`input "${key}" wants [${shape.join()}], ${sizeOf(shape)} values, not ${feed.length}`);
  }
  if (problems.length > 0) throw new FinetuneError(problems.map((message) => ({ code: 'E_FEED', message })));
}

/** Throws E_PARAM_SHAPE where values do not belong to the parameters. */
export function checkParams(parameters: ReadonlyMap<string, Ops['param']>, params: Params): void {
  const problems = [...params].flatMap(([name, { shape, data }]) => {
    const wanted = parameters.get(name)?.shape;
    if (!wanted) return [`no parameter is called ${name}`];
    if (sameShape(wanted, shape) && data.length === sizeOf(shape)) return [];
    return [`${name} is [${wanted.join()}], not [${shape.join()}] with ${data.length} values`];
  });
  if (problems.length > 0) throw new FinetuneError(problems.map((message) => ({ code: 'E_PARAM_SHAPE', message })));
}
