import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { invariant } from '../errors.js';
import { isOp } from '../graph/builder.js';
import { ancestors } from '../graph/rewrite.js';
import type { Param, Params } from '../graph/params.js';
import type { Node, Ops, Shape, Value } from '../graph/spec.js';
import type { Backend } from './backend.js';
import {
  checkFeeds,
  checkParams,
  inputsOf,
  parametersOf,
  type Feed,
  type Program,
  type Programs,
  type Results,
  type Session,
} from './engine.js';
import { DT, createGraphDef, type GraphDef } from '../tensorflow/graphDef.js';
import type { Emission } from '../tensorflow/emission.js';
import { tfOps } from '../tensorflow/ops.js';

/** The part of tfjs-node's native binding that runs a graph without a tensor object of tfjs in between. */
interface Binding {
  createTensor(shape: Shape, dtype: number, values: Feed): number;
  deleteTensor(id: number): void;
  tensorDataSync(id: number): Feed;
  loadSavedModel(path: string, tags: string): number;
  deleteSavedModel(id: number): void;
  runSavedModel(
    id: number,
    tensors: readonly number[],
    inputs: string,
    outputs: string,
  ): readonly { readonly id: number }[];
}

type Emit = (node: Node, at: Emission) => readonly string[];
const handleName = (parameter: string): string => `variable/${parameter}`;
const feedName = (program: string, input: string): string => `${program}/${input}`;
const doneName = (program: string): string => `${program}.done`;
const constantName = (program: string, parameter: string): string => `${program}/constant/${parameter}`;
const valueName = (parameter: string): string => `value/${parameter}`;
const readName = (parameter: string): string => `read/${parameter}`;
const writtenName = (parameter: string): string => `written/${parameter}`;

/** A variable with one node to read it, and one to write it from a fed value. */
function emitVariable(def: GraphDef, { name, shape }: Ops['param']): void {
  const dtype = { type: DT.float32 };
  const handle = def.add(
    'VarHandleOp',
    [],
    { dtype, shape: { shape }, shared_name: { string: name }, container: { string: '' } },
    { name: handleName(name) },
  );
  def.add('ReadVariableOp', [handle], { dtype }, { name: readName(name) });
  const value = def.add('Placeholder', [], { dtype, shape: { shape } }, { name: valueName(name) });
  // A copy: tfjs-node lends the caller's array to TensorFlow, and the variable would go on sharing it.
  const copy = def.add('DeepCopy', [value], { T: dtype });
  const assign = def.add('AssignVariableOp', [handle, copy], { dtype, validate_shape: { bool: false } });
  def.add('Identity', [def.float(0)], { T: dtype }, { name: writtenName(name), control: [assign] });
}

/** Writes a program into the GraphDef; returns where its outputs are, and last the node that stands for all updates. */
function emitProgram(
  def: GraphDef,
  name: string,
  { outputs, updates = [] }: Program,
  given: Pick<Emission, 'constants' | 'prefersMatrices'>,
): readonly string[] {
  const places = new Map<Node, readonly string[]>();
  const nodes = ancestors([...Object.values(outputs), ...updates]);
  const emit = (node: Node, allRead: string): void => {
    const inputs = node.inputs.map((value) => places.get(value.node)![value.index]!);
    const rule = tfOps[node.op] as unknown as Emit;
    const inputName = (input: string): string => feedName(name, input);
    const named = { inputName, handle: handleName, constantName: (parameter: string) => constantName(name, parameter) };
    places.set(node, rule(node, { def, inputs, allRead, ...given, ...named }));
  };
  for (const node of nodes) if (!isOp(node, 'assign')) emit(node, '');
  // Assignments wait for all reads: every node sees the values from before the run.
  const reads = nodes.flatMap((node) => (isOp(node, 'param') ? places.get(node)! : []));
  const allRead = def.add('NoOp', [], {}, { control: reads });
  for (const node of nodes) if (isOp(node, 'assign')) emit(node, allRead);
  const control = updates.map((update) => places.get(update.node)![0]!);
  const done = def.add('Identity', [def.float(0)], { T: { type: DT.float32 } }, { name: doneName(name), control });
  const fetch = (value: Value): string => {
    const place = places.get(value.node)![value.index]!;
    // TensorFlow does not fetch what is fed
    return isOp(value.node, 'input') ? def.add('Identity', [place], { T: { type: DT[value.dtype] } }) : place;
  };
  return [...Object.values(outputs).map(fetch), done];
}

async function load(binding: Binding, savedModel: Uint8Array): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'tfjs-finetune-'));
  try {
    await mkdir(join(folder, 'variables')); // the loader looks for it, empty or not
    await writeFile(join(folder, 'saved_model.pb'), savedModel);
    return binding.loadSavedModel(folder, 'serve');
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** The compiled engine: all programs become one TensorFlow graph with shared variables, and each run is one session call.
 *  `constants` are parameters with fixed values: they are part of the graph, can be read by name, and not written.
 *  Loading takes about 0.3 s, and a program's first run some seconds more: compile once per batch and size. */
export async function compileSession(
  programs: Programs,
  backend: Backend,
  constants: Params = new Map(),
): Promise<Session> {
  const { binding } = backend.tf.backend() as unknown as { binding: Binding };
  const all = parametersOf(programs);
  checkParams(all, constants);
  const parameters = new Map([...all].filter(([name]) => !constants.has(name)));
  const def = createGraphDef();
  for (const parameter of parameters.values()) emitVariable(def, parameter);
  const given = { constants, prefersMatrices: backend.prefersMatrices };
  const compiled = new Map(
    Object.entries(programs).map(([name, program]) => [
      name,
      {
        inputs: inputsOf(program),
        names: Object.keys(program.outputs),
        fetches: emitProgram(def, name, program, given),
      },
    ]),
  );
  const constantPlaces = new Map<string, string>();
  for (const [name, program] of Object.entries(programs)) {
    for (const parameter of parametersOf({ program }).keys())
      if (constants.has(parameter)) constantPlaces.set(parameter, constantName(name, parameter));
  }
  const id = await load(binding, def.savedModel());

  const call = (
    feeds: readonly { name: string; shape: Shape; dtype: number; values: Feed }[],
    fetches: readonly string[],
  ): Feed[] => {
    const tensors: number[] = [];
    try {
      for (const { shape, dtype, values } of feeds) tensors.push(binding.createTensor(shape, dtype, values));
      const tf = (name: string): string => (name.includes(':') ? name : `${name}:0`);
      const results = binding.runSavedModel(
        id,
        tensors,
        feeds.map(({ name }) => tf(name)).join(),
        fetches.map(tf).join(),
      );
      tensors.push(...results.map((result) => result.id));
      return results.map((result) => binding.tensorDataSync(result.id));
    } finally {
      tensors.forEach((tensor) => binding.deleteTensor(tensor));
    }
  };

  return {
    run(name, feeds) {
      const program = compiled.get(name);
      invariant(program, `no program is called ${name}`);
      checkFeeds(name, program.inputs, feeds);
      const fed = program.inputs.map((input) => ({
        name: feedName(name, input.name),
        shape: input.shape,
        dtype: DT[input.dtype],
        values: feeds[input.name]!,
      }));
      const values = call(fed, program.fetches);
      const results: Results = Object.fromEntries(program.names.map((key, i) => [key, toFloat(values[i]!)]));
      return Promise.resolve(results);
    },
    read(names = [...parameters.keys()]) {
      const values = call(
        [],
        names.map((name) => constantPlaces.get(name) ?? readName(name)),
      );
      return Promise.resolve(
        new Map(
          names.map((name, i): [string, Param] => [name, { shape: all.get(name)!.shape, data: toFloat(values[i]!) }]),
        ),
      );
    },
    write(params: Params) {
      checkParams(parameters, params);
      const feeds = [...params].map(([name, { shape, data }]) => ({
        name: valueName(name),
        shape,
        dtype: DT.float32,
        values: data,
      }));
      if (feeds.length > 0) call(feeds, [...params.keys()].map(writtenName));
      return Promise.resolve();
    },
    dispose: () => {
      binding.deleteSavedModel(id);
    },
  };
}

const toFloat = (values: Feed): Float32Array => (values instanceof Float32Array ? values : Float32Array.from(values));
