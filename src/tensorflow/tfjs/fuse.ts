import { DT, type Attr, type NodeDef } from '../graphDef.js';

/** Fuses a bias and an activation into the convolution or product before them, as the kernels of TensorFlow.js compute them. */

const FUSED: Readonly<Record<string, string>> = {
  Conv2D: '_FusedConv2D',
  DepthwiseConv2dNative: 'FusedDepthwiseConv2dNative',
  MatMul: '_FusedMatMul',
};
const ACTIVATIONS = ['Relu', 'Relu6'];

/** Replaces every convolution or product whose only reader adds a bias, with the activation after it. `returned` are names
 *  of nodes that are outputs. */
export function fuse(nodes: readonly NodeDef[], returned: ReadonlySet<string>): readonly NodeDef[] {
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const readers = new Map<string, NodeDef[]>();
  for (const node of nodes) for (const input of node.inputs) readers.set(input, [...(readers.get(input) ?? []), node]);
  const onlyReader = ({ name }: NodeDef): NodeDef | undefined => {
    const [reader, ...others] = readers.get(name) ?? [];
    return others.length === 0 && !returned.has(name) ? reader : undefined;
  };
  const gone = new Set<string>();
  const replaced = new Map<string, NodeDef>(); // by the name of the last node, whose place and name the fused one takes
  for (const node of nodes) {
    const op = FUSED[node.op];
    const bias = op === undefined ? undefined : onlyReader(node);
    if (bias?.op !== 'BiasAdd' || bias.inputs[0] !== node.name || byName.get(bias.inputs[1]!)?.op !== 'Const') continue;
    const next = onlyReader(bias);
    const activation = next && ACTIVATIONS.includes(next.op) ? next : undefined;
    const last = activation ?? bias;
    const fusedOps: Attr = { strings: ['BiasAdd', ...(activation ? [activation.op] : [])] };
    for (const one of [node, bias]) if (one !== last) gone.add(one.name);
    replaced.set(last.name, {
      name: last.name,
      op: op!,
      inputs: [...node.inputs, bias.inputs[1]!],
      attrs: {
        ...node.attrs,
        fused_ops: fusedOps,
        num_args: { int: 1 },
        epsilon: { float: 0 },
        T: { type: DT.float32 },
      },
    });
  }
  return nodes.filter(({ name }) => !gone.has(name)).map((node) => replaced.get(node.name) ?? node);
}
