import { conv, depthwise, normActivate, type Activation, type Context } from '../../graph/blocks.js';
import { globalAveragePool, reshape } from '../../graph/builder.js';
import type { Value } from '../../graph/spec.js';
import { IMAGENET, pytorch, type Backbone, type Classifier, type Taps } from '../backbone.js';
import { divisible } from './divisible.js';
import { addToFirst, rexnetRows } from './rexnet.js';

/** ReXNet without squeeze-excite and swish, from the authors' code: github.com/clovaai/rexnet, rexnetv1_lite.py. Names
 *  are indices in its nn.Sequential. */
const FIRST = 16;
const GROWTH = 164;
const STEM = 32;
const HEAD = 1280;
const EXPANSION = 6;
/** Channels of a second head layer, after the pooling. */
const HIDDEN = 1024;
/** Entries of the list before the first block: the stem has a convolution, a BatchNorm and an activation. So has the
 *  head; a block is one entry. */
const BEFORE_BLOCKS = 3;

/** Layer i of a list: the convolution, and its BatchNorm at i + 1. */
const normed = (y: Value, path: string, i: number, at: Context, activation: Activation): Value =>
  normActivate(y, `${path}.${i + 1}`, at, activation);

function block(
  x: Value,
  path: string,
  at: Context,
  [channels, stride, expansion]: readonly [number, number, number],
): { readonly y: Value; readonly expanded: Value } {
  let i = 0;
  let y = x;
  if (expansion > 1) {
    y = normed(conv(y, `${path}.${i}`, at, { channels: x.shape[3]! * expansion }), path, i, at, 'relu6');
    i += 3;
  }
  const expanded = y;
  y = normed(depthwise(y, `${path}.${i}`, at, { stride }), path, i, at, 'relu6');
  i += 3;
  y = normed(conv(y, `${path}.${i}`, at, { channels }), path, i, at, 'none');
  return {
    y: stride === 1 && x.shape[3]! <= channels ? addToFirst(at.regulariser?.dropBranch(y) ?? y, x) : y,
    expanded,
  };
}

const features =
  (width: number) =>
  (image: Value, at: Context): Taps => {
    const path = 'backbone.features';
    const blocks = rexnetRows.reduce((total, [repeats]) => total + repeats, 0);
    let x = normed(conv(image, `${path}.0`, at, { channels: STEM, kernel: 3, stride: 2 }), path, 0, at, 'relu6');
    let index = 0;
    const expansions: Value[] = [];
    const ends = rexnetRows.map(([repeats, stride], stage) => {
      for (let i = 0; i < repeats; i++, index++) {
        const channels = divisible(Math.round((FIRST + (index * GROWTH) / (blocks - 1)) * width));
        const name = `${path}.${BEFORE_BLOCKS + index}.out`;
        const { y, expanded } = block(x, name, at, [channels, i === 0 ? stride : 1, stage === 0 ? 1 : EXPANSION]);
        if (i === 0) expansions.push(expanded);
        x = y;
      }
      return x;
    });
    const [c1, c2, c3, , c4] = ends as [Value, Value, Value, Value, Value];
    const last = BEFORE_BLOCKS + index;
    const head = conv(x, `${path}.${last}`, at, { channels: Math.floor(HEAD * width) });
    return { c1, c2, c3, c4, c5: normed(head, path, last, at, 'relu6'), c4Expanded: expansions[5]! };
  };

const classifier: Classifier = ({ c5 }, at, classes) => {
  const path = 'backbone.output';
  const hidden = conv(globalAveragePool(c5), `${path}.0`, at, { channels: HIDDEN, bias: true });
  const logits = conv(normed(hidden, path, 0, at, 'relu6'), 'output.4', at, { channels: classes, bias: true });
  return reshape(logits, [c5.shape[0]!, classes]);
};

function stages(): string[][] {
  let next = BEFORE_BLOCKS;
  const take = (count: number): string[] => Array.from({ length: count }, () => `backbone.features.${next++}`);
  const blocks = rexnetRows.map(([repeats]) => take(repeats));
  return [['backbone.features.0', 'backbone.features.1'], ...blocks, [...take(2), 'backbone.output']];
}

export const rexnetLite: readonly Backbone[] = [1, 1.3, 1.5, 2].map((width) => ({
  name: `rexnet_lite_${width * 100}`,
  style: pytorch,
  ...IMAGENET,
  resolution: 224,
  stages: stages(),
  source: 'https://github.com/clovaai/rexnet',
  features: features(width),
  classifier,
}));
