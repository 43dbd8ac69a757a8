import { invariant, type FinetuneError } from '../errors.js';
import type { Params } from '../graph/params.js';
import { inputsOf, nodesOf, type Program, type Programs } from '../graph/program.js';
import { countReaders } from '../graph/reading.js';
import type { Node } from '../graph/spec.js';
import { createEmission, type Emission } from './emission.js';
import { withoutUnused, type TfliteModel, type TflitePort } from './model.js';
import { refusal, tfliteOps, whyNot } from './ops.js';

/** Why TFLite cannot hold the programs, with the names of the first one and of the layer; undefined if it holds all. */
export function whyNotTflite(programs: Programs): FinetuneError | undefined {
  for (const [name, program] of Object.entries(programs)) {
    for (const node of nodesOf(program)) {
      const reason = whyNot(node);
      if (reason !== undefined) return refusal(name, node, reason);
    }
  }
  return undefined;
}

/** Writes a program as a TFLite model; `params` has the values of its parameters. Inputs and outputs keep our names.
 *  Activations and biases become parts of the layers before them. Throws E_TFLITE_OP. */
export function emitTflite(name: string, program: Program, params: Params): TfliteModel {
  const obstacle = whyNotTflite({ [name]: program });
  if (obstacle) throw obstacle;
  const readers = countReaders(nodesOf(program), Object.values(program.outputs));
  const emission = createEmission({
    valueOf(parameter) {
      const value = params.get(parameter);
      invariant(value, `no value for ${parameter}`);
      return value;
    },
    countReaders: (value) => readers.get(value) ?? 0,
    apply: (node, at) => (tfliteOps[node.op] as unknown as Apply)(node, at),
  });
  const { nodes, tensors, values } = emission.emitted;
  // The inputs take their names first.
  const leaves = nodesOf(program).filter(({ op }) => op === 'input');
  const inputs = leaves.map((node, i): TflitePort => {
    const key = inputsOf(program)[i]!.name;
    return { key, tensor: emission.in(node.outputs[0]!) };
  });
  const taken = new Set(inputs.map(({ tensor }) => tensor));
  const outputs = Object.entries(program.outputs).map(([key, value]): TflitePort => {
    const tensor = emission.in(value);
    // An output is a tensor that a node makes, and has one name.
    const isFree = tensors.get(tensor)!.data === undefined && !taken.has(tensor);
    taken.add(tensor);
    return { key, tensor: isFree ? tensor : emission.reshape(tensor, value) };
  });
  return withoutUnused({ nodes, tensors, values, inputs, outputs });
}

type Apply = (node: Node, at: Emission) => readonly string[];
