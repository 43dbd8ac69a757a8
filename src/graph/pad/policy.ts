import { isOp } from '../builder.js';
import type { Rewriting } from './layout.js';
import type { Node, Op, Value } from '../spec.js';

/** Ops that take padded channels as they are. */
const welcoming: readonly Op[] = [
  'conv', 'depthwise', 'batchNorm', 'add', 'mul', 'concat', 'maxPool', 'averagePool', 'globalAveragePool', 'resize', 'pad', 'slice',
  'relu', 'relu6', 'sigmoid', 'swish', 'hardSwish', 'maximum',
]; // prettier-ignore

/** Whether the channels that a convolution computes are to be padded: their number is no multiple of half a block
 *  (24 or 40 channels gained nothing in MobileNetV2), and what follows can use them so.
 *  What predicts – a bias, then a reshape – keeps its channels. */
export function padsWell(node: Node<'conv'>, at: Rewriting): boolean {
  const [y] = node.outputs as [Value];
  const channels = y.shape[3]!;
  if (channels < at.block || channels % (at.block / 2) === 0) return false;
  const forward = (value: Value): readonly Node[] =>
    at.readers(value).filter(({ op }) => !op.endsWith('Grad')).flatMap((reader) => (isOp(reader, 'biasAdd') ? forward(reader.outputs[0]!) : [reader])); // prettier-ignore
  const readers = forward(y);
  return readers.length > 0 && readers.every(({ op }) => welcoming.includes(op));
}
