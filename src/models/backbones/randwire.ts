import { activate, batchNorm, conv, depthwise, normActivate, type Context } from '../../graph/blocks.js';
import { add, mul, param, sigmoid, slice } from '../../graph/builder.js';
import type { Value } from '../../graph/spec.js';
import { randomStream } from '../../random.js';
import { IMAGENET, pytorch, type Backbone, type Taps } from '../backbone.js';
import { linearHead } from './linearHead.js';

/** Xie et al. 2019 (arXiv:1904.01569), the small regime of table 1: conv1, conv2, three random stages, a 1×1
 *  convolution. */
const CHANNELS = 78;
const HEAD = 1280;
/** Watts–Strogatz: nodes of a stage, neighbours of a node in the ring, and the probability that an edge is rewired. */
const [NODES, NEIGHBOURS, REWIRED] = [32, 4, 0.75];
/** The paper draws five networks of each kind and reports their mean. This is the network drawn with this seed. The
 *  seed is part of the architecture: a weights file fits no other network. */
const SEED = 1;

/** Section 3.3: returns for every node the earlier ones that it reads. The edges of a ring to the k-th next node, k = 1
 *  … K/2, are moved with probability P to a random end that makes neither a loop nor a double edge. Then edges point
 *  from the lower number to the higher. */
function wattsStrogatz(name: string): readonly (readonly number[])[] {
  const random = randomStream(SEED, name);
  const neighbours = Array.from({ length: NODES }, () => new Set<number>());
  const link = (a: number, b: number): void => {
    neighbours[a]!.add(b);
    neighbours[b]!.add(a);
  };
  for (let k = 1; k <= NEIGHBOURS / 2; k++) for (let i = 0; i < NODES; i++) link(i, (i + k) % NODES);
  for (let k = 1; k <= NEIGHBOURS / 2; k++) {
    for (let i = 0; i < NODES; i++) {
      if (!random.chance(REWIRED)) continue;
      const old = (i + k) % NODES;
      const free = Array.from({ length: NODES }, (_, j) => j).filter((j) => j !== i && !neighbours[i]!.has(j));
      neighbours[i]!.delete(old);
      neighbours[old]!.delete(i);
      link(i, free[random.integer(0, free.length)]!);
    }
  }
  return neighbours.map((others, node) => [...others].filter((other) => other < node).sort((a, b) => a - b));
}

/** Weighted sum of a node's inputs with the weights sigmoid(w): section 3.1. w [inputs] starts at 0. */
function aggregate(inputs: readonly Value[], path: string, { graph }: Context): Value {
  if (inputs.length === 1) return inputs[0]!;
  const shape = [inputs.length];
  const w = param(graph, {
    name: `${path}.weight`,
    role: 'weight',
    kind: 'vector',
    shape,
    init: { type: 'constant', value: 0 },
  });
  const shares = sigmoid(w);
  return inputs.map((x, i) => mul(x, slice(shares, [i], [1]))).reduce((sum, x) => add(sum, x));
}

/** A stage: every node is ReLU, 3×3 separable convolution, BatchNorm. Nodes that read no other node read x with stride
 *  2. The output is the mean of the nodes that no other node reads. */
function randomStage(x: Value, path: string, at: Context, channels: number): Value {
  const edges = wattsStrogatz(path);
  const outputs: Value[] = [];
  for (const [node, from] of edges.entries()) {
    const name = `${path}.${node}`;
    const isFirst = from.length === 0;
    const input = isFirst ? x : aggregate(from.map((i) => outputs[i]!), name, at); // prettier-ignore
    const spatial = depthwise(activate(input, 'relu'), `${name}.conv_dw`, at, { stride: isFirst ? 2 : 1 });
    outputs.push(batchNorm(conv(spatial, `${name}.conv_pw`, at, { channels }), `${name}.bn`, at));
  }
  const last = outputs.filter((_, node) => !edges.some((from) => from.includes(node)));
  return mul(last.reduce((sum, y) => add(sum, y)), 1 / last.length); // prettier-ignore
}

function features(image: Value, at: Context): Taps {
  const path = 'backbone';
  const front = conv(image, `${path}.conv1`, at, { channels: CHANNELS / 2, kernel: 3, stride: 2 });
  const c1 = batchNorm(front, `${path}.bn1`, at);
  const second = conv(activate(c1, 'relu'), `${path}.conv2`, at, { channels: CHANNELS, kernel: 3, stride: 2 });
  const c2 = batchNorm(second, `${path}.bn2`, at);
  const c3 = randomStage(c2, `${path}.stage3`, at, CHANNELS);
  const c4 = randomStage(c3, `${path}.stage4`, at, 2 * CHANNELS);
  const end = randomStage(c4, `${path}.stage5`, at, 4 * CHANNELS);
  const wide = conv(activate(end, 'relu'), `${path}.conv_head`, at, { channels: HEAD });
  return { c1, c2, c3, c4, c5: normActivate(wide, `${path}.bn_head`, at, 'relu') };
}

export const randwire: readonly Backbone[] = [
  {
    name: 'randwire_ws',
    style: pytorch,
    ...IMAGENET,
    resolution: 224,
    stages: [['conv1', 'bn1', 'conv2', 'bn2'], ['stage3'], ['stage4'], ['stage5', 'conv_head', 'bn_head']].map(
      (names) => names.map((name) => `backbone.${name}`),
    ),
    source: 'arXiv:1904.01569',
    features,
    classifier: linearHead('classifier'),
  },
];
