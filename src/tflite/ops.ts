import { FinetuneError } from '../errors.js';
import { isOp } from '../graph/builder.js';
import { layerOf } from '../graph/reading.js';
import type { Node, Op, Value } from '../graph/spec.js';
import { trainingOps, whyTraining, type TrainingOp } from '../graph/trainingOps.js';
import { activate, fused, type Write } from './activations.js';
import { tfliteAxes } from './axes.js';
import { tfliteBoxes } from './boxes.js';
import { fuseIntoArithmetic, tfliteElementwise } from './elementwise.js';
import type { Emission, Rule } from './emission.js';
import { convolve, fuseIntoConvolution, isConvolution, scaleChannels, tfliteImages } from './images.js';
import type { FusedActivation } from './operators.js';

/** A product of matrices, with the bias that is added to it and the activation that follows. Weights that are constants
 *  make it a FULLY_CONNECTED, which reads them as [outputs, inputs]. */
function product(
  { attrs, inputs, outputs: [y] }: Node<'matMul'>,
  at: Emission,
  { bias, activation = 'none' }: { readonly bias?: Value; readonly activation?: FusedActivation } = {},
): readonly string[] | undefined {
  const [a, b] = inputs as [Value, Value];
  const { transposeA, transposeB } = attrs;
  if (at.known(b) && !transposeA) {
    const weight = transposeB ? at.in(b) : at.permuted(b, [1, 0]);
    const shift = bias ? at.in(bias) : '';
    return [at.add('FULLY_CONNECTED', [at.in(a), weight, shift], y!, { keepDims: false, ...fused(activation) })];
  }
  if (bias || activation !== 'none') return undefined;
  return [at.add('BATCH_MATMUL', [at.in(a), at.in(b)], y!, { transposeA, transposeB })];
}

/** A layer without or with its bias, and the activation after it. */
const fuseIntoLayer: Write = (node, at, activation) => {
  if (isOp(node, 'matMul')) return product(node, at, { activation });
  if (!isOp(node, 'biasAdd')) return fuseIntoConvolution(node, at, activation);
  const [x, bias] = node.inputs as [Value, Value];
  const isAlone = at.hasOneReader(x);
  if (isAlone && isConvolution(x.node)) return convolve(x.node, at, { bias, activation });
  const whole = isAlone && isOp(x.node, 'matMul') ? product(x.node, at, { bias, activation }) : undefined;
  return whole ?? [at.add('ADD', [at.in(x), at.in(bias)], node.outputs[0]!, fused(activation))];
};
const fuse: Write = (node, at, activation) =>
  fuseIntoLayer(node, at, activation) ?? fuseIntoArithmetic(node, at, activation);

/** Why TFLite cannot hold the node; undefined if it can. */
export function whyNot(node: Node): string | undefined {
  if (isOp(node, 'cropAndResize')) return 'TFLite has no op that crops windows of feature maps (cropAndResize)';
  return whyTraining(node);
}

export const refusal = (program: string, node: Node, reason: string): FinetuneError =>
  new FinetuneError({
    code: 'E_TFLITE_OP',
    message: `TFLite cannot hold the program "${program}": ${reason}, in the layer ${layerOf(node)}`,
    fix: 'export it in a format that has the op: onnx, savedmodel',
  });

/** Callers ask `whyNot` first. */
const refuse = (node: Node): never => {
  throw refusal(node.op, node, whyNot(node) ?? 'it has no rule');
};
const refusals = Object.fromEntries(trainingOps.map((op) => [op, refuse])) as unknown as {
  [K in TrainingOp]: Rule<K>;
};

const leaf = (node: Node, at: Emission): string[] => {
  const [value] = node.outputs as [Value];
  const name = isOp(node, 'param') ? node.attrs.name : `constant_${node.id}`;
  return [at.constant(name, { type: value.dtype, shape: value.shape, data: at.known(value)! })];
};

export const tfliteOps = {
  ...tfliteElementwise,
  ...tfliteImages,
  ...tfliteAxes,
  ...tfliteBoxes,
  ...refusals,
  input: ({ attrs }, at) => [at.constant(attrs.name, { type: attrs.dtype, shape: attrs.shape })],
  param: leaf,
  constant: leaf,
  relu: activate('relu', 'RELU', fuse),
  relu6: activate('relu6', 'RELU6', fuse),
  add: (node, at) => scaleChannels(node, at) ?? tfliteElementwise.add(node, at),
  matMul: (node, at) => product(node, at)!,
  biasAdd: (node, at) => fuseIntoLayer(node, at, 'none')!,
  cropAndResize: refuse,
} satisfies { [K in Op]: Rule<K> };
