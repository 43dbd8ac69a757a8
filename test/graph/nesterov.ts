import * as b from '../../src/graph/builder.js';
import { paramAttrs } from '../../src/graph/slots.js';
import type { Value } from '../../src/graph/spec.js';
import { assignAll, batchNormUpdates, normsOf, updates } from '../../src/graph/update.js';

/** A step of Nesterov's SGD with clipping and weight decay, and the running statistics: what most tests of training need. Adds the input `lr`. */
export function nesterovStep(
  loss: Value,
  params: readonly Value[],
): { readonly updates: readonly Value[]; readonly gradientNorm: Value } {
  const { graph } = loss.node;
  const { step, gradientNorm } = updates(loss, params, {
    optimizer: {
      name: 'sgd',
      momentum: 0.9,
      nesterov: true,
      betas: [0.9, 0.999],
      smoothing: 0.9,
      epsilon: 1e-8,
    },
    lr: b.input(graph, 'lr', []),
    groupOf: (name) => ({
      lr: 1,
      weightDecay: params.some((value) => paramAttrs(value).name === name && paramAttrs(value).role === 'weight')
        ? 0.01
        : 0,
    }),
    clipNorm: 1,
    clipValue: null,
    accumulate: 1,
  });
  return { updates: [...step, ...assignAll(batchNormUpdates(normsOf(graph)))], gradientNorm };
}
