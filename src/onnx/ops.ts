import { FinetuneError } from '../errors.js';
import { isOp } from '../graph/builder.js';
import type { Node, Op, Value } from '../graph/spec.js';
import { trainingOps, whyTraining, type TrainingOp } from '../graph/trainingOps.js';
import { onnxAxes } from './axes.js';
import { castTo, onnxBoxes } from './boxes.js';
import { onnxElementwise } from './elementwise.js';
import type { Emission, Place, Rule } from './emission.js';
import { convolve, isConvolution, onnxImages } from './images.js';

const last = (name: string): Place => ({ name, order: 'last' });

/** A product of matrices, with the bias that is added to it. */
function product({ attrs, inputs }: Node<'matMul'>, at: Emission, bias?: Value): Place[] {
  const [a, b] = inputs.map((value) => at.last(value)) as [string, string];
  const { transposeA, transposeB } = attrs;
  if (!bias && !transposeA && !transposeB) return [last(at.add('MatMul', [a, b]))];
  const flags = { transA: { int: Number(transposeA) }, transB: { int: Number(transposeB) } };
  return [last(at.add('Gemm', [a, b, ...(bias ? [at.last(bias)] : [])], flags))];
}

const biasAdd: Rule<'biasAdd'> = (node, at) => {
  const [x, bias] = node.inputs as [Value, Value];
  if (at.hasOneReader(x)) {
    if (isConvolution(x.node)) return convolve(x.node, at, bias);
    if (isOp(x.node, 'matMul')) return product(x.node, at, bias);
  }
  const rank = x.shape.length;
  const order = at.orderFor(node);
  return [{ name: at.add('Add', [at.in(order, x), at.aligned(bias, rank, order)]), order }];
};

const softmaxCrossEntropy: Rule<'softmaxCrossEntropy'> = ({ inputs }, at) => {
  const [logits, classes] = inputs as [Value, Value];
  const [n, depth] = logits.shape as [number, number];
  const axis = { int: 1 };
  const rows = at.add('Reshape', [castTo(at, at.last(classes), 'int64'), at.ints([n, 1])]);
  const logs = at.add('LogSoftmax', [at.last(logits)], { axis });
  const chosen = at.add('Neg', [at.add('GatherElements', [logs, rows], { axis })]);
  const numbers = at.floats(Array.from({ length: depth }, (_, i) => i), [depth]); // prettier-ignore
  const hits = castTo(at, at.add('Equal', [castTo(at, rows, 'float32'), numbers]), 'float32');
  const gradient = at.add('Sub', [at.add('Softmax', [at.last(logits)], { axis }), hits]);
  return [last(at.add('Reshape', [chosen, at.ints([n])])), last(gradient)];
};

export const refusal = (program: string, reason: string): FinetuneError =>
  new FinetuneError({
    code: 'E_ONNX_OP',
    message: `ONNX cannot hold the program "${program}": ${reason}`,
    fix: 'use the engine tensorflow or wasm for it: they hold every op',
  });

/** Callers ask `whyTraining` first. */
const refuse = (node: Node): never => {
  throw refusal(node.op, whyTraining(node) ?? 'it has no rule');
};
const refusals = Object.fromEntries(trainingOps.map((op) => [op, refuse])) as unknown as {
  [K in TrainingOp]: Rule<K>;
};

/** A leaf's value is found by its data. */
const leaf = (node: Node, at: Emission): Place[] => [last(at.last(node.outputs[0]!))];

export const onnxOps = {
  ...onnxElementwise,
  ...onnxImages,
  ...onnxAxes,
  ...onnxBoxes,
  ...refusals,
  input: ({ attrs }) => [last(attrs.name)],
  param: leaf,
  constant: leaf,
  matMul: (node, at) => product(node, at),
  biasAdd,
  softmaxCrossEntropy,
} satisfies { [K in Op]: Rule<K> };
