import { input } from '../../src/graph/builder.js';
import { rewrite } from '../../src/graph/rewrite.js';
import type { Built, Losses, LossOptions } from '../../src/tasks/network.js';

/** A built network's loss without the network: each output becomes an input called `output.<name>`, so that a test can feed it. */
export function lossOver({ outputs, loss }: Built, options?: LossOptions): Losses {
  const { total, parts } = loss(options);
  const nodes = new Map(Object.entries(outputs).map(([name, value]) => [value.node, { name, shape: value.shape }]));
  const [over, ...values] = rewrite([total, ...Object.values(parts)], (node, _map, graph) => {
    const output = nodes.get(node);
    return output && [input(graph, `output.${output.name}`, output.shape)];
  });
  return { total: over!, parts: Object.fromEntries(Object.keys(parts).map((name, i) => [name, values[i]!])) };
}
