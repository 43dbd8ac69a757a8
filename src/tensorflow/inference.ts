import { FinetuneError } from '../errors.js';
import { isOp } from '../graph/builder.js';
import type { Params } from '../graph/params.js';
import { inputsOf, nodesOf, type Program } from '../graph/program.js';
import { layerOf } from '../graph/reading.js';
import type { Node, Op, TensorType, Value } from '../graph/spec.js';
import { whyTraining } from '../graph/trainingOps.js';
import type { Emission, Rule } from './emission.js';
import { createGraphDef, DT, type NodeDef } from './graphDef.js';
import { tfOps } from './ops.js';

/** A program as TensorFlow's nodes for other programs to run: the parameters are constants, each input is a placeholder and
 *  each output an Identity. */

/** An input or output, and the node that holds it. */
export interface SignaturePort extends TensorType {
  /** The name in our program. */
  readonly key: string;
  /** The same, except for an output that is called like an input. */
  readonly node: string;
}

export interface EmittedInference {
  readonly nodes: readonly NodeDef[];
  readonly inputs: readonly SignaturePort[];
  readonly outputs: readonly SignaturePort[];
}

/** A rule for each op. */
export type Rules = { readonly [K in Op]: Rule<K> };
type Emit = (node: Node, at: Emission) => readonly string[];

/** Why a GraphDef for inference cannot hold the program; undefined if it can. */
export function whyNotInference(program: Program): FinetuneError | undefined {
  for (const node of nodesOf(program)) {
    const reason = isOp(node, 'softmaxCrossEntropy') ? 'softmaxCrossEntropy belongs to training' : whyTraining(node);
    if (reason) return new FinetuneError({ code: 'E_EXPORT_OP', message: `${layerOf(node)}: ${reason}` });
  }
  return undefined;
}

/** Writes a program for inference; `params` has the values of its parameters. Nodes are called after their layers. */
export function emitInference(program: Program, params: Params, rules: Rules = tfOps): EmittedInference {
  const def = createGraphDef();
  const places = new Map<Node, readonly string[]>();
  const placeOf = (value: Value): string => places.get(value.node)![value.index]!;
  const common = {
    def,
    allRead: '',
    inputName: (name: string) => name,
    meansName: (node: number): never => {
      throw new Error(`internal: node ${node} belongs to training`);
    },
    handle: (parameter: string): never => {
      throw new Error(`internal: ${parameter} has no value`);
    },
    constantName: (parameter: string) => parameter,
    constants: params,
    prefersMatrices: false,
  };
  for (const node of nodesOf(program)) {
    const rule = rules[node.op] as unknown as Emit;
    places.set(
      node,
      def.within(nodeName(layerOf(node)), () => rule(node, { ...common, inputs: node.inputs.map(placeOf) })),
    );
  }
  const inputs = inputsOf(program).map(({ name, shape, dtype }) => ({ key: name, node: name, shape, dtype }));
  const outputs = Object.entries(program.outputs).map(([key, value]): SignaturePort => {
    const name = inputs.some((input) => input.key === key) ? `${key}/output` : key;
    def.add('Identity', [placeOf(value)], { T: { type: DT[value.dtype] } }, { name });
    return { key, node: name, shape: value.shape, dtype: value.dtype };
  });
  return { nodes: withoutUnread(def.nodes, outputs), inputs, outputs };
}

/** TensorFlow allows letters, digits and a few marks in the name of a node. */
const nodeName = (layer: string): string => layer.replace(/[^A-Za-z0-9_.\\/-]/g, '_').replace(/^[^A-Za-z0-9.]/, 'x');

const nodeOf = (input: string): string => input.replace(/^\^/, '').replace(/:\d+$/, '');

/** The nodes that the outputs depend on, and all placeholders. */
export function withoutUnread(
  nodes: readonly NodeDef[],
  outputs: readonly Pick<SignaturePort, 'node'>[],
): readonly NodeDef[] {
  const read = new Set(outputs.map(({ node }) => node));
  const kept = [...nodes].reverse().filter(({ name, op, inputs }) => {
    const isKept = read.has(name) || op === 'Placeholder';
    if (isKept) for (const input of inputs) read.add(nodeOf(input));
    return isKept;
  });
  return kept.reverse();
}
