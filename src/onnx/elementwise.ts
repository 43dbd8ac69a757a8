import { isOp } from '../graph/builder.js';
import type { Binary, Comparison, Node, Op, Unary, Value } from '../graph/spec.js';
import type { Emission, Place, Rule } from './emission.js';
import { hardSigmoid, leakyRelu } from './activations.js';
import { DATA_TYPE } from './model.js';

/** Ops that treat every element alike. They run in whichever order their input has. */

type Write = (at: Emission, x: string) => string;

const each =
  (write: Write) =>
  (node: Node, at: Emission): Place[] => {
    const order = at.orderFor(node);
    return [{ name: write(at, at.in(order, node.inputs[0]!)), order }];
  };
const unary = (op: string): ((node: Node, at: Emission) => Place[]) => each((at, x) => at.add(op, [x]));

/** Most channels of a value that counts as a picture. */
const PICTURE = 4;

/** Scales or shifts the few channels of a fed picture before its channels are put first: whole rows at a time, where
 *  runtimes would loop over three values. Undefined for other nodes. */
function onRows(op: string, node: Node, at: Emission): string | undefined {
  const [x, constant] = node.inputs as [Value, Value];
  const [, height, width, channels] = x.shape as [number, number, number, number];
  if (node.inputs.length !== 2 || x.shape.length !== 4 || channels > PICTURE) return undefined;
  if (!at.wantsFirst(node.outputs[0]!) || at.place(x).order === 'first') return undefined;
  if (!isOp(constant.node, 'constant')) return undefined;
  if (constant.shape.length === 0) return at.add(op, [at.last(x), at.last(constant)]);
  if (constant.shape.join() !== `${channels}`) return undefined;
  const { values } = constant.node.attrs;
  const row = width * channels;
  const tiled = at.floats(Array.from({ length: row }, (_, i) => values[i % channels]!), [row]); // prettier-ignore
  const rows = at.add('Reshape', [at.last(x), at.ints([x.shape[0]!, height, row])]);
  return at.add('Reshape', [at.add(op, [rows, tiled]), at.ints(x.shape)]);
}

/** Writes a node whose inputs broadcast. */
export function broadcasting(op: string, node: Node, at: Emission): Place[] {
  const picture = onRows(op, node, at);
  if (picture) return [{ name: picture, order: 'last' }];
  const order = at.orderFor(node);
  const rank = node.outputs[0]!.shape.length;
  const inputs = node.inputs.map((value: Value) => at.aligned(value, rank, order));
  return [{ name: at.add(op, inputs), order }];
}
const binary =
  (op: string) =>
  (node: Node, at: Emission): Place[] =>
    broadcasting(op, node, at);

const unaries = {
  neg: unary('Neg'),
  abs: unary('Abs'),
  sign: unary('Sign'),
  square: each((at, x) => at.add('Mul', [x, x])),
  sqrt: unary('Sqrt'),
  rsqrt: each((at, x) => at.add('Reciprocal', [at.add('Sqrt', [x])])),
  exp: unary('Exp'),
  log: unary('Log'),
  sigmoid: unary('Sigmoid'),
  softplus: unary('Softplus'),
  relu: unary('Relu'),
  relu6: each((at, x) => at.add('Clip', [x, at.floats([0]), at.floats([6])])),
  swish: each((at, x) => at.add('Mul', [x, at.add('Sigmoid', [x])])),
  hardSwish: unary('HardSwish'),
} satisfies Record<Unary, Rule<Op>>;

const binaries = {
  add: binary('Add'),
  sub: binary('Sub'),
  mul: (node, at) => hardSigmoid(node, at) ?? broadcasting('Mul', node, at),
  div: binary('Div'),
  maximum: (node, at) => leakyRelu(node, at) ?? broadcasting('Max', node, at),
  minimum: binary('Min'),
  greater: binary('Greater'),
  greaterEqual: binary('GreaterOrEqual'),
  equal: binary('Equal'),
} satisfies Record<Binary | Comparison, Rule<Op>>;

export const onnxElementwise = {
  ...unaries,
  ...binaries,
  power: (node, at) => each((_, x) => at.add('Pow', [x, at.floats([node.attrs.exponent])]))(node, at),
  select: binary('Where'),
  cast: (node, at) => each((_, x) => at.add('Cast', [x], { to: { int: DATA_TYPE[node.attrs.dtype] } }))(node, at),
  stopGradient: ({ inputs: [x] }, at) => [at.place(x!)],
} satisfies { [K in Op]?: Rule<K> };
