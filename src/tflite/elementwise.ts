import { isOp } from '../graph/builder.js';
import type { Binary, Comparison, Node, Op, Unary, Value } from '../graph/spec.js';
import { fused, leakyRelu, type Write } from './activations.js';
import type { Emission, Rule } from './emission.js';
import { TENSOR_TYPE, type FusedActivation, type OperatorName } from './operators.js';

/** Ops that treat every element alike. */

type EachRule = (node: Node, at: Emission) => readonly string[];

const unary =
  (op: OperatorName): EachRule =>
  ({ inputs: [x], outputs: [y] }, at) => [at.add(op, [at.in(x!)], y!)];
const binary =
  (op: OperatorName): EachRule =>
  ({ inputs, outputs: [y] }, at) => [
    at.add(
      op,
      inputs.map((value) => at.in(value)),
      y!,
    ),
  ];

/** Operators of arithmetic, which can end with an activation. */
const arithmetic = { add: 'ADD', sub: 'SUB', mul: 'MUL', div: 'DIV' } as const;
type Arithmetic = keyof typeof arithmetic;
const isArithmetic = (node: Node): node is Node & Node<Arithmetic> => node.op in arithmetic;
const writeArithmetic = ({ op, inputs, outputs: [y] }: Node<Arithmetic>, at: Emission, activation: FusedActivation) => [
  at.add(
    arithmetic[op],
    inputs.map((value) => at.in(value)),
    y!,
    fused(activation),
  ),
];
export const fuseIntoArithmetic: Write = (node, at, activation) =>
  isArithmetic(node) && node.outputs[0]!.dtype === 'float32' ? writeArithmetic(node, at, activation) : undefined;

/** ln(1 + eˣ) = max(x, 0) + ln(1 + e^−|x|), which does not overflow. */
const softplus: EachRule = ({ inputs: [given], outputs: [y] }, at) => {
  const x = at.in(given!);
  const small = at.add('EXP', [at.add('NEG', [at.add('ABS', [x], y!)], y!)], y!);
  const rest = at.add('LOG', [at.add('ADD', [small, at.floats([1])], y!)], y!);
  return [at.add('ADD', [at.add('RELU', [x], y!), rest], y!)];
};
const swish: EachRule = ({ inputs: [given], outputs: [y] }, at) => {
  const x = at.in(given!);
  return [at.add('MUL', [x, at.add('LOGISTIC', [x], y!)], y!)];
};

const unaries = {
  neg: unary('NEG'),
  abs: unary('ABS'),
  sign: unary('SIGN'),
  square: unary('SQUARE'),
  sqrt: unary('SQRT'),
  rsqrt: unary('RSQRT'),
  exp: unary('EXP'),
  log: unary('LOG'),
  sigmoid: unary('LOGISTIC'),
  softplus,
  swish,
  hardSwish: unary('HARD_SWISH'),
} satisfies Record<Exclude<Unary, 'relu' | 'relu6'>, EachRule>;

const plain = (node: Node<Arithmetic>, at: Emission): readonly string[] => writeArithmetic(node, at, 'none');
const binaries = {
  add: plain,
  sub: plain,
  mul: plain,
  div: plain,
  maximum: (node, at) => leakyRelu(node, at) ?? binary('MAXIMUM')(node, at),
  minimum: binary('MINIMUM'),
  greater: binary('GREATER'),
  greaterEqual: binary('GREATER_EQUAL'),
  equal: binary('EQUAL'),
} satisfies { [K in Binary | Comparison]: Rule<K> };

export const tfliteElementwise = {
  ...unaries,
  ...binaries,
  power: ({ attrs, inputs: [x], outputs: [y] }, at) => [at.add('POW', [at.in(x!), at.floats([attrs.exponent])], y!)],
  select: binary('SELECT_V2'),
  cast: ({ attrs, inputs: [x], outputs: [y] }, at) => {
    const options = { from: TENSOR_TYPE[x!.dtype], to: TENSOR_TYPE[attrs.dtype] };
    return [at.add('CAST', [at.in(x!)], y!, options)];
  },
  stopGradient: ({ inputs: [x] }, at) => [at.in(x!)],
} satisfies { [K in Op]?: Rule<K> };

/** Whether no value of the tensor is below 0. */
export function isNonNegative({ node }: Value): boolean {
  if (isOp(node, 'relu') || isOp(node, 'relu6') || isOp(node, 'sigmoid')) return true;
  const passes = isOp(node, 'maxPool') || isOp(node, 'averagePool') || isOp(node, 'resize');
  return passes && isNonNegative(node.inputs[0]!);
}
