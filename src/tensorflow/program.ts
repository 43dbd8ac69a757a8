import { isOp } from '../graph/builder.js';
import { inputsOf, nodesOf, parametersOf, type Program, type Programs } from '../graph/program.js';
import type { Node, Ops, Shape, Value } from '../graph/spec.js';
import type { Emission } from './emission.js';
import { createGraphDef, DT, type GraphDef } from './graphDef.js';
import { tfOps } from './ops.js';

/** An input of a program, and the placeholder that it is fed to. */
export type EmittedInput = Ops['input'] & { readonly placeholder: string };

export interface EmittedProgram {
  readonly inputs: readonly EmittedInput[];
  /** The program's outputs. */
  readonly outputs: readonly string[];
  /** Where the outputs' values are, in the same order, and last a scalar that is computed after all updates. */
  readonly fetches: readonly string[];
  /** Where the call stops for values of this worker, in the order in which it can get to them. */
  readonly exchanges: readonly Exchange[];
}

/** Values of this worker, and what becomes of them. */
export interface Exchange {
  readonly fetches: readonly string[];
  readonly shapes: readonly Shape[];
  /** The placeholders that their means over all workers are fed to; null for values that are only added to sums. */
  readonly means: readonly string[] | null;
  /** The name of the sums that they are added to, or that are added to them before the means are taken; null for none. */
  readonly sums: string | null;
  /** How many exchanges must be done before this one can begin. Exchanges of one round do not wait for each other. */
  readonly round: number;
}

/** The nodes by which a parameter's variable is read and written. */
export interface EmittedVariable {
  readonly read: string;
  /** The placeholder for a new value. */
  readonly value: string;
  /** A scalar that is computed after the variable has the new value. */
  readonly written: string;
}

/** Programs as one GraphDef, and the names of the nodes that a session feeds and fetches. */
export interface EmittedPrograms {
  readonly def: GraphDef;
  readonly programs: ReadonlyMap<string, EmittedProgram>;
  readonly variables: ReadonlyMap<string, EmittedVariable>;
  /** The node that holds the value of each constant parameter that a program reads. */
  readonly constants: ReadonlyMap<string, string>;
}

type EmissionOptions = Pick<Emission, 'constants' | 'prefersMatrices'>;
type Emit = (node: Node, at: Emission) => readonly string[];

const handleName = (parameter: string): string => `variable/${parameter}`;
const constantName = (program: string, parameter: string): string => `${program}/constant/${parameter}`;

/** Writes the programs into one GraphDef with shared variables. Parameters among `constants` become constants of each
 *  program; `prefersMatrices` chooses how the gradients of filters are computed. */
export function emitPrograms(programs: Programs, options: EmissionOptions): EmittedPrograms {
  const { constants } = options;
  const def = createGraphDef();
  const variables = new Map(
    [...parametersOf(programs)]
      .filter(([name]) => !constants.has(name))
      .map(([name, parameter]) => [name, emitVariable(def, parameter)]),
  );
  const emitted = Object.entries(programs).map(
    ([name, program]) => [name, emitProgram(def, name, program, options)] as const,
  );
  const places = Object.entries(programs).flatMap(([name, program]) =>
    [...parametersOf({ program }).keys()]
      .filter((parameter) => constants.has(parameter))
      .map((parameter) => [parameter, constantName(name, parameter)] as const),
  );
  return { def, programs: new Map(emitted), variables, constants: new Map(places) };
}

/** A variable with one node to read it, and one to write it from a fed value. */
function emitVariable(def: GraphDef, { name, shape }: Ops['param']): EmittedVariable {
  const dtype = { type: DT.float32 };
  const handle = def.add(
    'VarHandleOp',
    [],
    { dtype, shape: { shape }, shared_name: { string: name }, container: { string: '' } },
    { name: handleName(name) },
  );
  const read = def.add('ReadVariableOp', [handle], { dtype }, { name: `read/${name}` });
  const value = def.add('Placeholder', [], { dtype, shape: { shape } }, { name: `value/${name}` });
  const assign = def.add('AssignVariableOp', [handle, value], { dtype, validate_shape: { bool: false } });
  const done = { name: `written/${name}`, control: [assign] };
  return { read, value, written: def.add('Identity', [def.float(0)], { T: dtype }, done) };
}

function emitProgram(def: GraphDef, name: string, program: Program, options: EmissionOptions): EmittedProgram {
  const { outputs, updates = [] } = program;
  const places = new Map<Node, readonly string[]>();
  const placeOf = (value: Value): string => places.get(value.node)![value.index]!;
  const names = {
    inputName: (input: string) => `${name}/${input}`,
    meansName: (node: number, index: number) => ({
      ofWorker: `${name}/worker/${node}/${index}`,
      mean: `${name}/mean/${node}/${index}`,
    }),
    handle: handleName,
    constantName: (parameter: string) => constantName(name, parameter),
  };
  const emit = (node: Node, allRead: string): void => {
    const rule = tfOps[node.op] as unknown as Emit;
    places.set(node, rule(node, { def, inputs: node.inputs.map(placeOf), allRead, ...options, ...names }));
  };
  const nodes = nodesOf(program);
  for (const node of nodes) if (!isOp(node, 'assign')) emit(node, '');
  // Assignments wait for all reads, so that every node sees the values from before the run; and for all means, so that
  // nothing has changed where an exchange with the other workers fails.
  const reads = nodes.flatMap((node) => (isOp(node, 'param') || isOp(node, 'workersMean') ? places.get(node)! : []));
  const allRead = def.add('NoOp', [], {}, { control: reads });
  for (const node of nodes) if (isOp(node, 'assign')) emit(node, allRead);
  const float = { T: { type: DT.float32 } };
  const done = def.add('Identity', [def.float(0)], float, { name: `${name}.done`, control: updates.map(placeOf) });
  const fetch = (value: Value): string => {
    const place = placeOf(value);
    // TensorFlow does not fetch what is fed.
    const isFed = isOp(value.node, 'input') || isOp(value.node, 'workersMean');
    return isFed ? def.add('Identity', [place], { T: { type: DT[value.dtype] } }) : place;
  };
  return {
    inputs: inputsOf(program).map((input) => ({ ...input, placeholder: names.inputName(input.name) })),
    outputs: Object.keys(outputs),
    fetches: [...Object.values(outputs).map(fetch), done],
    exchanges: exchangesOf(nodes, names.meansName),
  };
}

/** The exchanges of a program, those of an earlier round first. */
function exchangesOf(nodes: readonly Node[], nameOf: Emission['meansName']): Exchange[] {
  const rounds = new Map<Node, number>();
  const found: Exchange[] = [];
  for (const node of nodes) {
    const round = Math.max(0, ...node.inputs.map((value) => rounds.get(value.node)!));
    rounds.set(node, isOp(node, 'workersMean') ? round + 1 : round);
    const ports = node.inputs.map((_, i) => nameOf(node.id, i));
    const values = { fetches: ports.map(({ ofWorker }) => ofWorker), shapes: node.inputs.map(({ shape }) => shape) };
    if (isOp(node, 'workersMean'))
      found.push({ ...values, means: ports.map(({ mean }) => mean), sums: node.attrs.adds, round });
    if (isOp(node, 'addToSums')) found.push({ ...values, means: null, sums: node.attrs.name, round });
  }
  return found.sort((a, b) => a.round - b.round);
}
