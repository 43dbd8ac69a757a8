import type { OnnxModel, OnnxNode } from './model.js';

/** Chooses the nodes of a model that compute with int8. */

/** Ops with weights: what takes the time. */
const WEIGHTED: ReadonlySet<string> = new Set(['Conv', 'Gemm']);
/** Ops that ONNX Runtime computes on quantised values; hard activations it computes in float32 between them. */
const COMBINING: ReadonlySet<string> = new Set([
  'Add', 'Mul', 'Concat', 'GlobalAveragePool', 'AveragePool', 'Sigmoid', 'LeakyRelu', 'HardSwish', 'HardSigmoid',
]); // prettier-ignore
/** Ops that move values and leave them as they are: input and output share a range. */
const PASSING: ReadonlySet<string> = new Set(['MaxPool', 'Reshape', 'Transpose', 'Slice']);
/** Activations that the levels of the node before them include: values below 0 have none. */
const CLIPPING: ReadonlySet<string> = new Set(['Relu', 'Clip']);

/** Whether the node only moves values. */
function isPassing({ op, attrs: { mode } }: OnnxNode): boolean {
  return PASSING.has(op) || (op === 'Resize' && mode !== undefined && 'string' in mode && mode.string === 'nearest');
}

export interface Plan {
  /** Nodes that compute with int8, by name. */
  readonly nodes: ReadonlySet<string>;
  /** Values that get levels, in the order of their nodes; each with the value whose range it shares, mostly itself. */
  readonly values: ReadonlyMap<string, string>;
}

export const isWeighted = ({ op }: OnnxNode): boolean => WEIGHTED.has(op);
export const weightsOf = (model: OnnxModel): OnnxNode[] => {
  const constants = new Set(model.initializers.map(({ name }) => name));
  return model.nodes.filter((node) => isWeighted(node) && constants.has(node.inputs[1]!));
};

/** Inputs that carry values, not shapes or limits. */
const carried = ({ op, inputs }: OnnxNode): readonly string[] => (COMBINING.has(op) ? inputs : inputs.slice(0, 1));

/** Every convolution and Gemm with constant weights becomes int8, but those whose names are in `keep`; and the nodes between
 *  them that can. What comes after the last of them stays in float32. */
export function planQuantization(model: OnnxModel, keep: ReadonlySet<string>): Plan {
  const producer = new Map(model.nodes.flatMap((node) => node.outputs.map((name) => [name, node] as const)));
  const readers = new Map<string, OnnxNode[]>();
  for (const node of model.nodes)
    for (const name of new Set(node.inputs)) readers.set(name, [...(readers.get(name) ?? []), node]);
  const returned = new Set(model.outputs.map(({ name }) => name));
  const weighted = new Set(weightsOf(model).filter(({ name }) => !keep.has(name)));

  const able = new Set<OnnxNode>();
  for (const node of model.nodes) {
    const canPass = COMBINING.has(node.op) || isPassing(node) || CLIPPING.has(node.op);
    const comesFrom = (name: string): boolean => able.has(producer.get(name)!);
    if (weighted.has(node) || (canPass && carried(node).every(comesFrom))) able.add(node);
  }
  const useful = new Set<OnnxNode>(weighted);
  for (const node of [...model.nodes].reverse()) {
    const next = node.outputs.flatMap((name) => readers.get(name) ?? []);
    const absorbs = CLIPPING.has(node.op) && weighted.has(producer.get(node.inputs[0]!)!);
    if (able.has(node) && (absorbs || next.some((reader) => useful.has(reader)))) useful.add(node);
  }

  /** Whether the value only goes into an activation that its levels include. */
  const isAbsorbed = (name: string): boolean => {
    const [reader, ...others] = readers.get(name) ?? [];
    const alone = reader !== undefined && others.length === 0 && !returned.has(name);
    return alone && CLIPPING.has(reader.op) && useful.has(reader);
  };
  const values = new Map<string, string>();
  for (const node of model.nodes) {
    if (!useful.has(node)) continue;
    if (weighted.has(node)) values.set(node.inputs[0]!, values.get(node.inputs[0]!) ?? node.inputs[0]!);
    const [output] = node.outputs as readonly [string];
    if (isAbsorbed(output)) continue;
    const shared = isPassing(node) ? values.get(node.inputs[0]!) : undefined;
    values.set(output, shared ?? output);
  }
  return { nodes: new Set([...useful].map(({ name }) => name)), values };
}
