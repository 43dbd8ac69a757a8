import * as b from '../../graph/builder.js';
import { invariant } from '../../errors.js';
import { rewrite } from '../../graph/rewrite.js';
import type { Value } from '../../graph/spec.js';
import type { Feeds } from '../../engine/engine.js';
import type { ModelCard } from '../../modelFolder/card.js';
import type { Net } from '../format.js';

/** How a program feeds an image. */
export interface InputLayout {
  readonly name: string;
  /** NHWC: [1, height, width, 3]; NCHW: [1, 3, height, width]. */
  readonly layout: 'NHWC' | 'NCHW';
  /** Least and largest value of a pixel. */
  readonly range: readonly [number, number];
}

const INPUT = 'image';

/** The net with another input, from which it computes the pixels that it was trained with. */
export function withInput({ program, ...net }: Net, { name, layout, range: [low, high] }: InputLayout): Net {
  const roots = rewrite(Object.values(program.outputs), (node, _, graph) => {
    if (!b.isOp(node, 'input')) return undefined;
    invariant(node.attrs.name === INPUT, 'the net has another input than an image');
    const [n, height, width, channels] = node.attrs.shape as [number, number, number, number];
    const isFirst = layout === 'NCHW';
    const given = b.input(graph, name, isFirst ? [n, channels, height, width] : node.attrs.shape);
    const pixels = isFirst ? b.transpose(given, [0, 2, 3, 1]) : given;
    return [inRange(pixels, low, high)];
  });
  const names = Object.keys(program.outputs);
  return { ...net, program: { outputs: Object.fromEntries(names.map((output, i) => [output, roots[i]!])) } };
}

function inRange(pixels: Value, low: number, high: number): Value {
  if (low === 0 && high === 255) return pixels;
  const moved = low === 0 ? pixels : b.sub(pixels, low);
  return b.mul(moved, 255 / (high - low));
}

/** Feeds the pixels of an image, [1, height, width, 3] in 0…255, as this input takes them. */
export const feedAs =
  ({ name, layout, range: [low, high] }: InputLayout) =>
  (pixels: Float32Array): Feeds => {
    const scaled = low === 0 && high === 255 ? pixels : pixels.map((value) => low + (value * (high - low)) / 255);
    if (layout === 'NHWC') return { [name]: scaled };
    const plane = scaled.length / 3;
    const planes = new Float32Array(scaled.length);
    for (let i = 0; i < scaled.length; i++) planes[(i % 3) * plane + Math.floor(i / 3)] = scaled[i]!;
    return { [name]: planes };
  };

/** The entries of the card for an input of this height and width. */
export const describeInput = (
  { name, layout, range }: InputLayout,
  [height, width]: readonly [number, number],
): Partial<ModelCard['input']> => ({
  name,
  layout,
  range,
  shape: layout === 'NCHW' ? [1, 3, height, width] : [1, height, width, 3],
});
