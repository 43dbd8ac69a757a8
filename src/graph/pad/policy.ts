import { isOp } from '../builder.js';
import type { Rewriting } from './layout.js';
import type { Node, Op, Value } from '../spec.js';

/** Ops that can work on padded channels. */
const paddedOps: readonly Op[] = [
  'conv', 'depthwise', 'batchNorm', 'add', 'mul', 'concat', 'maxPool', 'averagePool', 'globalAveragePool', 'resize', 'pad', 'slice',
  'relu', 'relu6', 'sigmoid', 'swish', 'hardSwish', 'maximum',
]; // prettier-ignore

/** Whether to pad the channels that a convolution computes: their number must not be a multiple of half a block
 *  (padding 24 or 40 channels gained nothing in MobileNetV2), and all readers must be able to work on padded channels.
 *  Predictors, which are followed by a bias and a reshape, are not padded. */
export function padsWell(node: Node<'conv'>, at: Rewriting): boolean {
  const [y] = node.outputs as [Value];
  const channels = y.shape[3]!;
  if (channels < at.block || channels % (at.block / 2) === 0) return false;
  const forward = (value: Value): readonly Node[] =>
    at.readers(value).filter(({ op }) => !op.endsWith('Grad')).flatMap((reader) => (isOp(reader, 'biasAdd') ? forward(reader.outputs[0]!) : [reader])); // prettier-ignore
  const readers = forward(y);
  return readers.length > 0 && readers.every(({ op }) => paddedOps.includes(op));
}
