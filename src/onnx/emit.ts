import { invariant, type FinetuneError } from '../errors.js';
import type { Params } from '../graph/params.js';
import { inputsOf, nodesOf, type Program, type Programs } from '../graph/program.js';
import { countReaders } from '../graph/reading.js';
import type { Node, Op, TensorType, Value } from '../graph/spec.js';
import { whyTraining } from '../graph/trainingOps.js';
import { createEmission, type Emission, type Place } from './emission.js';
import { imageOps } from './images.js';
import { IMAGE_RANK } from './layout.js';
import { withoutUnused, type OnnxModel, type OnnxNode, type Port } from './model.js';
import { onnxOps, refusal } from './ops.js';

/** Why ONNX cannot hold the programs, with the name of the first one that it cannot; undefined if it holds all. Training
 *  stays with the other engines. */
export function whyNotOnnx(programs: Programs): FinetuneError | undefined {
  for (const [name, program] of Object.entries(programs)) {
    const reason = nodesOf(program).map(whyTraining).find(Boolean);
    if (reason) return refusal(name, reason);
  }
  return undefined;
}

/** Throws E_ONNX_OP if ONNX cannot hold the programs. */
export function checkOnnx(programs: Programs): void {
  const obstacle = whyNotOnnx(programs);
  if (obstacle) throw obstacle;
}

/** Ops that pass the wish for channels first on to their inputs. */
const passing: ReadonlySet<Op> = new Set<Op>([
  'add', 'sub', 'mul', 'div', 'maximum', 'minimum', 'neg', 'abs', 'square', 'sqrt', 'rsqrt', 'exp', 'log', 'sigmoid',
  'softplus', 'relu', 'relu6', 'swish', 'hardSwish', 'power', 'cast', 'stopGradient', 'biasAdd', 'concat', 'slice', 'pad',
  'broadcastTo', 'select',
]); // prettier-ignore

/** The values that are read, directly or through elementwise ops, with their channels first. */
function wantedFirst(nodes: readonly Node[]): ReadonlySet<Value> {
  const wanted = new Set<Value>();
  for (const node of [...nodes].reverse()) {
    const isWanted = passing.has(node.op) && wanted.has(node.outputs[0]!);
    if (imageOps.has(node.op)) wanted.add(node.inputs[0]!);
    if (isWanted) for (const value of node.inputs) if (value.shape.length >= IMAGE_RANK) wanted.add(value);
  }
  return wanted;
}

/** Gives the values that the program returns their names in the model, in every node that makes or reads them. A value that
 *  no node makes, or that has two names, is copied. */
function nameOutputs(nodes: readonly OnnxNode[], sources: readonly string[], outputs: readonly Port[]): OnnxNode[] {
  const made = new Set(nodes.flatMap((node) => node.outputs));
  const names = new Map<string, string>();
  sources.forEach((source, i) => {
    if (made.has(source) && !names.has(source)) names.set(source, outputs[i]!.name);
  });
  const copies = sources.flatMap((source, i): OnnxNode[] => {
    const { name } = outputs[i]!;
    return names.get(source) === name ? [] : [{ op: 'Identity', name, inputs: [source], outputs: [name], attrs: {} }];
  });
  const renamed = (list: readonly string[]): string[] => list.map((name) => names.get(name) ?? name);
  return [...nodes, ...copies].map((node) => ({
    ...node,
    inputs: renamed(node.inputs),
    outputs: renamed(node.outputs),
  }));
}

/** Writes a program as an ONNX model; `params` has the values of its parameters. Images inside the net have their channels
 *  first; inputs and outputs keep our names and the graph's layout. A BatchNorm should have been folded into its convolution
 *  before (graph/fold.ts); one that was not becomes a BatchNormalization. Throws E_ONNX_OP. */
export function emitOnnx(name: string, program: Program, params: Params): OnnxModel {
  checkOnnx({ [name]: program });
  const nodes = nodesOf(program);
  const wanted = wantedFirst(nodes);
  const readers = countReaders(nodes, Object.values(program.outputs));
  const emission = createEmission({
    valueOf(parameter) {
      const value = params.get(parameter);
      invariant(value, `no value for ${parameter}`);
      return value;
    },
    countReaders: (value) => readers.get(value) ?? 0,
    wantsFirst: (value) => wanted.has(value),
    apply: (node, at) => (onnxOps[node.op] as unknown as Apply)(node, at),
  });
  const port = (key: string, { dtype, shape }: TensorType): Port => ({ key, name: emission.claim(key), dtype, shape });
  const inputs = inputsOf(program).map((input) => port(input.name, input));
  const outputs = Object.entries(program.outputs).map(([key, value]) => port(key, value));
  const sources = Object.values(program.outputs).map((value) => emission.last(value));
  return withoutUnused({
    nodes: nameOutputs(emission.nodes, sources, outputs),
    initializers: emission.initializers,
    inputs,
    outputs,
  });
}

type Apply = (node: Node, at: Emission) => readonly Place[];
