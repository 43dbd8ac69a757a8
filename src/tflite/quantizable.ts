import type { TfliteModel, TfliteNode } from './model.js';

/** Chooses the nodes of a model that compute with int8, by the rules of TFLite's quantisation
 *  (ai.google.dev/edge/litert/models/quantization_spec). */

/** Ops with weights: what takes the time. */
const WEIGHTED: ReadonlySet<unknown> = new Set(['CONV_2D', 'DEPTHWISE_CONV_2D', 'FULLY_CONNECTED']);
/** Ops whose output has levels of its own. */
const FREE: ReadonlySet<unknown> = new Set(['ADD', 'SUB', 'MUL', 'MEAN', 'HARD_SWISH', 'LEAKY_RELU', 'RELU', 'RELU6']);
/** Ops whose inputs and output must share their levels. */
const SHARING: ReadonlySet<unknown> = new Set([
  'AVERAGE_POOL_2D',
  'MAX_POOL_2D',
  'CONCATENATION',
  'RESHAPE',
  'TRANSPOSE',
  'SLICE',
  'PAD',
  'RESIZE_BILINEAR',
  'RESIZE_NEAREST_NEIGHBOR',
  'GATHER',
]);
/** Ops all of whose inputs carry values; the others have their values in the first one. */
const COMBINING: ReadonlySet<unknown> = new Set(['ADD', 'SUB', 'MUL', 'CONCATENATION']);
/** The op whose output has levels from 0 to 1 that the specification fixes. */
const FIXED = 'LOGISTIC';

export interface Plan {
  /** Nodes that compute with int8. */
  readonly nodes: ReadonlySet<TfliteNode>;
  /** Tensors that get levels, each with the name of those that share them; constants are not among them. */
  readonly groups: ReadonlyMap<string, string>;
  /** Groups with the levels of a sigmoid. */
  readonly fixed: ReadonlySet<string>;
}

/** The name by which a layer is kept in float32. */
export const layerNameOf = ({ outputs }: TfliteNode): string => outputs[0]!;
export const isWeighted = ({ op, inputs }: TfliteNode, { tensors }: TfliteModel): boolean =>
  WEIGHTED.has(op) && tensors.get(inputs[1]!)!.data !== undefined;
/** Names of the layers that can be quantised. */
export const layersOf = (model: TfliteModel): string[] =>
  model.nodes.filter((node) => isWeighted(node, model)).map(layerNameOf);

/** Inputs that carry values, not shapes or limits, and that are no constants. */
export const carried = ({ op, inputs }: TfliteNode, { tensors }: TfliteModel): readonly string[] =>
  (COMBINING.has(op) ? inputs : inputs.slice(0, 1)).filter((name) => tensors.get(name)!.data === undefined);

/** Every layer with weights becomes int8, but those in `keep`; and the nodes between them that can. What comes after the
 *  last of them stays in float32. */
export function planQuantization(model: TfliteModel, keep: ReadonlySet<string>): Plan {
  const producer = new Map(model.nodes.flatMap((node) => node.outputs.map((name) => [name, node] as const)));
  const readers = new Map<string, TfliteNode[]>();
  for (const node of model.nodes)
    for (const name of new Set(node.inputs)) readers.set(name, [...(readers.get(name) ?? []), node]);

  const able = new Set<TfliteNode>();
  for (const node of model.nodes) {
    const { op, outputs } = node;
    const values = carried(node, model);
    const isKnown = SHARING.has(op) || op === FIXED || model.values.has(outputs[0]!); // its range can be measured
    const mixes = op === 'CONCATENATION' && values.some((name) => producer.get(name)?.op === FIXED);
    const canPass = (FREE.has(op) || SHARING.has(op) || op === FIXED) && isKnown && !mixes;
    const comes = values.length > 0 && values.every((name) => able.has(producer.get(name)!));
    const isLayer = isWeighted(node, model) && isKnown && !keep.has(layerNameOf(node));
    if (isLayer || (canPass && comes)) able.add(node);
  }
  const useful = new Set<TfliteNode>();
  for (const node of [...model.nodes].reverse()) {
    const next = node.outputs.flatMap((name) => readers.get(name) ?? []);
    if (able.has(node) && (isWeighted(node, model) || next.some((reader) => useful.has(reader)))) useful.add(node);
  }
  return { nodes: useful, ...groupsOf(model, useful) };
}

/** Joins the tensors that must share their levels. */
function groupsOf(model: TfliteModel, nodes: ReadonlySet<TfliteNode>): Pick<Plan, 'groups' | 'fixed'> {
  const parents = new Map<string, string>();
  const rootOf = (name: string): string => {
    const parent = parents.get(name) ?? name;
    return parent === name ? name : rootOf(parent);
  };
  for (const node of nodes) {
    const values = [...carried(node, model), node.outputs[0]!];
    for (const name of values) if (!parents.has(name)) parents.set(name, name);
    if (SHARING.has(node.op)) for (const name of values) parents.set(rootOf(name), rootOf(values[0]!));
  }
  const sigmoids = [...nodes].filter(({ op }) => op === FIXED);
  return {
    groups: new Map([...parents.keys()].map((name) => [name, rootOf(name)])),
    fixed: new Set(sigmoids.map(({ outputs }) => rootOf(outputs[0]!))),
  };
}
