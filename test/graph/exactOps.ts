import * as b from '../../src/graph/builder.js';
import type { Graph, Op, Value } from '../../src/graph/spec.js';

/** Expected results of ops without a gradient, which test/graph cannot check by differences. */
export const exactOps: readonly (readonly [Op, (graph: Graph) => Value, number[]])[] = (() => {
  const row = (graph: Graph, ...numbers: number[]): Value => b.constant(graph, numbers, [numbers.length]);
  const ints = (graph: Graph, ...numbers: number[]): Value => b.constant(graph, numbers, [numbers.length], 'int32');
  return [
    ['greater', (g) => b.greater(row(g, 1, 2, 3), row(g, 2, 2, 2)), [0, 0, 1]],
    ['greater', (g) => b.greater(ints(g, 1, 2, 3), 2), [0, 0, 1]],
    ['greaterEqual', (g) => b.greaterEqual(row(g, 1, 2, 3), 2), [0, 1, 1]],
    ['equal', (g) => b.equal(ints(g, 1, 2, 3), 2), [0, 1, 0]],
    ['sign', (g) => b.sign(row(g, -0.5, 0, 7)), [-1, 0, 1]],
    ['oneHot', (g) => b.oneHot(ints(g, 1, -1, 3), 3), [0, 1, 0, 0, 0, 0, 0, 0, 0]],
    ['topK', (g) => b.topK(b.reshape(row(g, 3, 9, 5, 1, 2, 0), [2, 3]), 2)[0]!, [9, 5, 2, 1]],
    ['topK', (g) => b.topK(b.reshape(row(g, 3, 9, 5, 1, 2, 0), [2, 3]), 2)[1]!, [1, 2, 1, 0]],
    ['topK', (g) => b.topK(row(g, 4, 7, 7, 7), 2)[1]!, [1, 2]], // of equal values the first one wins
    ['stopGradient', (g) => b.stopGradient(row(g, 1, 2)), [1, 2]],
    ['cast', (g) => b.cast(row(g, 1.7, -1.7, 0), 'int32'), [1, -1, 0]],
    ['cast', (g) => b.cast(row(g, 0.5, -1, 0), 'bool'), [1, 1, 0]],
    ['cast', (g) => b.cast(ints(g, 2, -1, 0), 'bool'), [1, 1, 0]],
    ['cast', (g) => b.cast(b.greater(row(g, 1, 3), 2), 'float32'), [0, 1]],
    ['slice', (g) => b.slice(ints(g, 1, 2, 3), [1], [2]), [2, 3]],
    ['concat', (g) => b.concat([ints(g, 1), ints(g, 2, 3)], 0), [1, 2, 3]],
    ['max', (g) => b.max(row(g, -3, -7)), [-3]],
    ['swish', (g) => b.swish(row(g, -100, 0, 100)), [-0, 0, 100]],
    ['softplus', (g) => b.softplus(row(g, -100, 100)), [0, 100]],
    ['softmaxCrossEntropy', (g) => b.softmaxCrossEntropy(b.reshape(row(g, 1000, 0), [1, 2]), ints(g, 0)), [0]],
  ];
})();
